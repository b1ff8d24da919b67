// The editor of the policy: fields to options and back, presets, and problems beside their fields.

import { codeLink, element } from "./element.js";

const form = document.getElementById("form");
const editor = document.getElementById("editor");
const problemList = document.getElementById("problems");

const LISTS = { allow_origins: "\n", allow_methods: ", ", allow_headers: ", ", expose_headers: ", " };
const SWITCHES = ["allow_credentials", "allow_null_origin"];

export const PRESETS = [
  ["As at the start", () => ({})],
  ["Both origins", ({ page, other }) => ({ allow_origins: [page, other] })],
  ["Everyone", () => ({ allow_origins: ["*"], allow_credentials: false })],
  ["Any method and header", () => ({ allow_methods: ["*"], allow_headers: ["*"] })],
  ["No cookies", () => ({ allow_credentials: false })],
  ["Always ask first", () => ({ max_age: 0 })],
];
export const MISTAKES = [
  ["Trailing slash", ({ page }) => ({ allow_origins: [`${page}/`] })],
  ["* with cookies", () => ({ allow_origins: ["*"] })],
  ["No origins", () => ({ allow_origins: [] })],
  ["Three at once", () => ({ allow_origins: ["app.example"], allow_methods: ["patch"], max_age: -1 })],
];

export function fill(options) {
  for (const [name, separator] of Object.entries(LISTS)) {
    form.elements[name].value = (options[name] ?? []).join(separator);
  }
  for (const name of SWITCHES) form.elements[name].checked = options[name] ?? false;
  form.elements.max_age.value = options.max_age ?? "";
}

export function read() {
  const options = {};
  for (const name of Object.keys(LISTS)) {
    const items = form.elements[name].value.split(/[\n,]/).map((item) => item.trim());
    options[name] = items.filter((item) => item !== "");
  }
  for (const name of SWITCHES) options[name] = form.elements[name].checked;
  options.max_age = maxAge(form.elements.max_age.value.trim());
  return options;
}

// A text that is no number is sent as it is: the server reports the problem.
function maxAge(text) {
  if (text === "") return null;
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

export function clearProblems() {
  problemList.hidden = true;
  problemList.replaceChildren();
  for (const field of form.elements) field.removeAttribute("aria-invalid");
}

export function showProblems(problems) {
  clearProblems();
  const heading = document.createElement("p");
  heading.className = "problems-title";
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  heading.textContent = `${count}. The policy stays as it was.`;
  const list = document.createElement("ul");
  for (const problem of problems) {
    form.elements[problem.field]?.setAttribute("aria-invalid", "true");
    list.append(entry(problem));
  }
  problemList.append(heading, list);
  problemList.hidden = false;
  editor.open = true;
  problemList.scrollIntoView({ block: "nearest" });
}

function entry({ field, message, hint, code, page }) {
  const item = document.createElement("li");
  const what = document.createElement("p");
  const link = document.createElement("a");
  link.href = `#${field}`;
  link.textContent = field;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    form.elements[field]?.focus();
  });
  what.append(link, ` ${message}`);
  const fix = element("p", "fix", element("b", "", "Fix: "), hint);
  item.append(what, fix, element("p", "code-page", codeLink(code, page)));
  return item;
}

export function addPresets(container, presets, choose) {
  for (const [title, change] of presets) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.textContent = title;
    button.addEventListener("click", () => choose(change));
    container.append(button);
  }
}
