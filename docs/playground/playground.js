// The page around the engine: reads the form, asks Python, and shows what comes back as text.
const status = document.querySelector("#status");
const result = document.querySelector("#result");
const tabs = [...document.querySelectorAll("[role=tab]")];
const forms = [...document.querySelectorAll("form")];
let answer = null;
let explain = null;

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function shown(parts) {
  return parts.map(({ kind, text, rows, good, code }) => {
    const tone = good === undefined ? "" : good ? "good" : "bad";
    if (kind === "verdict") return element("p", text, `verdict ${tone}`);
    if (kind === "code") {
      const line = element("p", "");
      const link = element("a", code);
      link.href = `../codes/${code}.html`;
      line.append(link);
      return line;
    }
    if (kind === "steps") {
      const list = element("ol", "");
      for (const row of rows)
        list.append(element("li", `${row.ok ? "ok" : "NO"}: ${row.text}`, row.ok ? "" : "bad"));
      return list;
    }
    if (kind === "table") {
      const table = element("table", "");
      rows.forEach((row, number) => {
        const line = element("tr", "");
        for (const cell of row) line.append(element(number ? "td" : "th", cell));
        table.append(line);
      });
      return table;
    }
    return element({ heading: "h2", code: "p", block: "pre" }[kind] ?? "p", text);
  });
}

function state() {
  const form = forms.find((one) => !one.hidden);
  const values = { tab: form.id };
  for (const field of form.elements)
    if (field.name && field.type !== "file")
      values[field.name] = field.type === "checkbox" ? field.checked : field.value;
  return values;
}

function show(parts) {
  result.replaceChildren(...shown(parts));
}

function update() {
  const values = state();
  const text = new URLSearchParams(Object.entries(values)).toString();
  history.replaceState(null, "", `#${text}`);
  if (answer) show(JSON.parse(answer(JSON.stringify(values))));
}

function select(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", chosen);
    one.tabIndex = chosen ? 0 : -1;
    document.getElementById(one.getAttribute("aria-controls")).hidden = !chosen;
  }
}

function restore() {
  const values = new URLSearchParams(location.hash.slice(1));
  const form = forms.find((one) => one.id === values.get("tab"));
  if (!form) return;
  select(tabs.find((tab) => tab.getAttribute("aria-controls") === form.id));
  for (const field of form.elements)
    if (field.name && field.type !== "file" && values.has(field.name))
      if (field.type === "checkbox") field.checked = values.get(field.name) === "true";
      else field.value = values.get(field.name);
}

async function explainHar(file) {
  if (!file || !explain) return;
  const data = new Uint8Array(await file.arrayBuffer());
  show(JSON.parse(explain(data)));
}

for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", () => {
    select(tab);
    update();
  });
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const other = tabs[(number + 1) % tabs.length];
    other.focus();
    other.click();
  });
}
for (const form of forms) {
  form.addEventListener("input", (event) => event.target.type !== "file" && update());
  form.addEventListener("submit", (event) => event.preventDefault());
}
document.querySelector("[type=file]").addEventListener("change", (event) => explainHar(event.target.files[0]));
const drop = document.querySelector("#drop");
for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") explainHar(event.dataTransfer.files[0]);
  });
document.querySelector("#copy").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(location.href);
  event.target.textContent = "Copied";
});
addEventListener("hashchange", () => {
  restore();
  update();
});

async function load() {
  status.textContent = "Loading Python (16 MB, once)";
  // All at once, while Python starts.
  const archive = get("engine.zip").then((response) => response.arrayBuffer());
  const texts = Promise.all(
    ["playground.py", "spellings.json"].map(async (name) => (await get(name)).text()),
  );
  const { loadPyodide } = await import("./pyodide/pyodide.mjs");
  const python = await loadPyodide({ indexURL: new URL("pyodide/", location).pathname });
  status.textContent = "Loading the engine";
  python.unpackArchive(await archive, "zip", { extractDir: "/home/pyodide" });
  const [program, spellings] = await texts;
  python.globals.set("SPELLINGS_JSON", spellings);
  python.runPython(program);
  answer = python.globals.get("answer");
  explain = python.globals.get("explain_recording");
  document.body.dataset.ready = "true";
  update();
}

async function get(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

restore();
load().catch((error) => show([{ kind: "verdict", text: `The playground cannot start: ${error}`, good: false }]));
