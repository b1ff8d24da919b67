// The page: asks the server for the predictions, then runs the same fetches row by row.

import { element } from "./element.js";
import { MISTAKES, PRESETS, addPresets, clearProblems, fill, read, showProblems } from "./form.js";
import { judgeBoundary, renderBoundary, renderChanges, renderRow, showActual } from "./view.js";

const byId = (id) => document.getElementById(id);
const BROWSERS = { chromium: "Chromium", firefox: "Firefox", safari: "Safari" };
const MILLISECONDS_FOR_FRAMES = 10000;

let state = null;
let generation = 0; // a new run overtakes the one before

function browser() {
  const agent = navigator.userAgent;
  if (/Chrom(e|ium)\//.test(agent)) return "chromium";
  if (/\bFirefox\//.test(agent)) return "firefox";
  return /\bSafari\//.test(agent) ? "safari" : "";
}

// --- pages of other origins, as frames

const frames = {};

function openFrame(name) {
  const frame = document.createElement("iframe");
  frame.title = name === "null" ? "A sandboxed frame" : "A page of another origin";
  frame.hidden = true;
  if (name === "null") frame.sandbox = "allow-scripts";
  const origin = name === "null" ? state.pages.page : state.pages[name];
  const ready = new Promise((resolve, reject) => {
    frame.addEventListener("load", () => resolve(frame), { once: true });
    setTimeout(() => reject(new Error("its frame did not load")), MILLISECONDS_FOR_FRAMES);
  });
  frame.src = `${origin}/frame.html`;
  document.body.append(frame);
  return ready;
}

async function runInFrame(name, task) {
  frames[name] ??= openFrame(name);
  const frame = await frames[name];
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  // "*" is the only target that reaches the opaque origin of a sandboxed frame.
  frame.contentWindow.postMessage(task, name === "null" ? "*" : state.pages[name], [port2]);
  return answer;
}

// --- runs

async function actual(row) {
  try {
    const run = row.page === "page" ? runTask(row.fetch) : runInFrame(row.page, row.fetch);
    const result = await run;
    const counted = await fetch(`/preflights?${row.query}`).then((response) => response.json());
    return { ...result, preflights: counted.count };
  } catch (error) {
    return { status: null, header: null, preflights: null, text: `It was not run: ${error.message}` };
  }
}

async function run() {
  generation += 1;
  const mine = generation;
  const rows = state.groups.flatMap((group) => group.rows);
  let done = 0;
  let good = 0;
  document.body.dataset.run = "running";
  renderBoundary(byId("boundary"), state);
  for (const row of rows) {
    byId("score").textContent = `Running ${done + 1} of ${rows.length}`;
    const outcome = await actual(row);
    if (mine !== generation) return;
    done += 1;
    if (showActual(row, outcome)) good += 1;
    judgeBoundary(row, outcome);
  }
  byId("score").textContent = `${good} of ${rows.length} as predicted`;
  byId("announcement").textContent = byId("score").textContent;
  document.body.dataset.run = good === rows.length ? "good" : "bad";
}

function render(before) {
  const was = new Map(
    (before?.groups ?? []).flatMap((group) => group.rows).map((row) => [row.name, row.predicted]),
  );
  const differs = ({ name, predicted }) =>
    was.has(name) &&
    ["reason", "status", "header", "preflights"].some((key) => was.get(name)[key] !== predicted[key]);
  let changes = 0;
  const open = new Set([...document.querySelectorAll("#groups details[open]")].map(({ id }) => id));
  const groups = state.groups.map((group, index) => {
    const title = element("h3", "", group.title);
    title.id = `group-${index}`;
    const list = element("ul", "rows");
    list.setAttribute("aria-labelledby", title.id);
    for (const row of group.rows) {
      const changed = differs(row);
      changes += Number(changed);
      list.append(renderRow(row, changed, state.browser));
    }
    const head = element("div", "group-head", title);
    for (const name of ["Predicted", "Actual"]) head.append(element("span", "column", name));
    for (const column of head.querySelectorAll(".column")) column.ariaHidden = "true";
    return element("section", "group", head, list);
  });
  byId("groups").replaceChildren(...groups);
  for (const id of open) byId(id).open = true;
  byId("python").textContent = state.python;
  renderDeviations();
  return changes;
}

function renderDeviations() {
  if (state.deviations.length === 0) return;
  const items = state.deviations.map(({ what, source }) => {
    const item = element("li", "", `${what}. `);
    const link = element("a", "", "Source");
    if (source.startsWith("https://")) link.href = source;
    item.append(source.startsWith("https://") ? link : `(${source})`);
    return item;
  });
  byId("deviations").replaceChildren(
    element("summary", "", `Where ${BROWSERS[state.browser]} is known to differ from the standard`),
    element("p", "", "The prediction follows the browser:"),
    element("ul", "", ...items),
  );
  byId("deviations").hidden = false;
}

// --- the server of the page

async function load() {
  const before = state;
  const response = await fetch(`/state?browser=${browser()}`);
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  state = await response.json();
  return render(before);
}

async function guarded(action) {
  try {
    await action();
    byId("banner").hidden = true;
  } catch (error) {
    console.error(error);
    generation += 1;
    document.body.dataset.run = "stopped";
    byId("score").textContent = "Stopped";
    byId("banner").textContent =
      "The demo does not answer. Start it again with “corscore demo” and reload this page.";
    byId("banner").hidden = false;
  }
}

async function apply(options) {
  byId("outcome").hidden = true;
  clearProblems();
  const response = await fetch("/policy", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(options),
  });
  const { problems, changes } = await response.json();
  if (problems.length > 0) {
    showProblems(problems);
    return;
  }
  const changed = await load();
  fill(state.options);
  const rows = changed === 1 ? "1 result changed" : `${changed} results changed`;
  const link = element("a", "", "See the results");
  link.href = "#results";
  const said = element("p", "", `Replaced: ${changed === 0 ? "no result changed" : rows}. `, link);
  byId("outcome").replaceChildren(said, renderChanges(changes));
  byId("outcome").hidden = false;
  byId("outcome").scrollIntoView({ block: "nearest" });
  await run();
}

function choose(change) {
  const options = { ...state.start, ...change(state.pages) };
  fill(options);
  guarded(() => apply(options));
}

async function copy() {
  await navigator.clipboard.writeText(state.python);
  byId("copy").textContent = "Copied";
  setTimeout(() => { byId("copy").textContent = "Copy"; }, 2000);
}

// On a wide page demo.css hides the summary that would open and close the editor.
const wide = matchMedia("(min-width: 68rem)");
byId("editor").open = wide.matches;
wide.addEventListener("change", () => { byId("editor").open ||= wide.matches; });
byId("browser-name").textContent = BROWSERS[browser()] ?? "your browser";
guarded(async () => {
  await load();
  fill(state.options);
  addPresets(byId("presets"), PRESETS, choose);
  addPresets(byId("mistakes"), MISTAKES, choose);
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(() => apply(read()));
  });
  byId("reset").addEventListener("click", () => choose(() => ({})));
  byId("again").addEventListener("click", () => guarded(async () => {
    await load();
    await run();
  }));
  byId("copy").addEventListener("click", copy);
  await run();
});
