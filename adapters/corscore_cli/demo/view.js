// Elements for the rows and their results.

import { codeBlock, element } from "./element.js";
import { explanation, headerNotes } from "./explain.js";

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function kind(outcome, task) {
  if (outcome.status === null) return "blocked";
  return task.reads !== null && outcome.header === null ? "partly" : "readable";
}

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// Predictions and results in the same words, so that people can compare them.
export function verdict(outcome, row) {
  const name = kind(outcome, row.fetch);
  const words = name === "blocked" ? "Blocked" : `Readable, ${outcome.status}`;
  const notes = [];
  if (name === "partly") notes.push(`${row.fetch.reads} hidden`);
  if (name === "readable" && row.fetch.reads) notes.push(`${row.fetch.reads}: ${outcome.header}`);
  if (outcome.preflights > 0) notes.push(plural(outcome.preflights, "preflight"));
  const box = element("span", `verdict is-${name}`, icon(name), element("b", "", words));
  if (notes.length > 0) box.append(element("span", "notes", notes.join(", ")));
  return box;
}

const WHO = { page: "this page", other: "other page", null: "null" };

function who(page) {
  return element("span", "who", WHO[page]);
}

export function agree(predicted, actual) {
  return ["status", "header", "preflights"].every((key) => predicted[key] === actual[key]);
}

export function renderRow(row, changed, browser) {
  const details = element("details");
  details.id = `row-${row.name}`;
  const call = element(
    "span",
    "call",
    element("code", "", `${row.fetch.method} ${row.path}`),
  );
  const key = element("span", "key", element("span", "unseen", "governed by "), row.policy.key);
  if (row.policy.key !== "default") key.classList.add("is-other");
  call.append(key);
  if (row.page !== "page") call.append(who(row.page));
  const title = element("span", "title", row.title);
  if (changed) title.append(" ", element("span", "tag", "changed"));
  const predicted = element(
    "span", "cell predicted", element("span", "cell-name", "Predicted "), verdict(row.predicted, row),
  );
  if (row.predicted.reason) predicted.append(element("code", "reason", row.predicted.reason));
  const actual = element(
    "span", "cell actual", element("span", "cell-name", "Actual "), element("span", "waiting", "running"),
  );
  const match = element("span", "match");
  details.append(
    element("summary", "", element("span", "what", title, call), predicted, actual, match),
    detail(row, browser),
  );
  const item = element("li", "row", details);
  item.dataset.row = row.name;
  return item;
}

export function showActual(row, outcome) {
  const item = document.querySelector(`[data-row="${row.name}"]`);
  const agrees = agree(row.predicted, outcome);
  item.dataset.match = String(agrees);
  item.querySelector(".actual").lastElementChild.replaceWith(verdict(outcome, row));
  item.querySelector(".match").textContent = agrees ? "same" : "differs";
  const said = outcome.status === null ? "The script caught" : "The script read";
  item.querySelector(".said").replaceChildren(
    element("h4", "", said), codeBlock(outcome.text || "(an empty body)"),
  );
  return agrees;
}

function detail(row, browser) {
  const words = element("div", "words", element("p", "", row.lesson));
  const { key, about } = row.policy;
  words.append(element("p", "governs", "Governed by ", element("code", "", key), `: ${about}.`));
  words.append(explanation(row.predicted.explanation, browser, `consoles-${row.name}`));
  words.append(element("h4", "", "The script"), codeBlock(script(row)), element("div", "said"));
  const wire = element("div", "wire", element("h4", "", "On the wire"));
  for (const exchange of row.predicted.exchanges) wire.append(exchangeBlock(exchange, row));
  wire.append(...headerNotes(row.predicted.explanation.headers, `headers-${row.name}`));
  return element("div", "detail", words, wire);
}

function exchangeBlock({ method, status, is_preflight, sent, received }, row) {
  const lines = (pairs) => pairs.map(([name, value]) => `${name}: ${value}`).join("\n");
  const label = is_preflight ? "The browser asks first" : "The request";
  const block = element("div", "exchange", element("p", "exchange-name", label));
  const ask = element("pre", "code", element("b", "", `${method} ${row.path}\n`), lines(sent));
  const answer = element("pre", "code answer", element("b", "", `${status}\n`), lines(received));
  block.append(ask, answer);
  return block;
}

function script({ fetch: task, path }) {
  const options = [];
  if (task.method !== "GET") options.push(`method: ${JSON.stringify(task.method)}`);
  if (Object.keys(task.headers).length > 0) {
    const headers = Object.entries(task.headers).map(
      ([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`,
    );
    options.push(`headers: {\n${headers.join("")}  }`);
  }
  if (task.credentials !== "same-origin") {
    options.push(`credentials: ${JSON.stringify(task.credentials)}`);
  }
  if (task.body !== null) options.push(`body: '${task.body}'`);
  const tail = options.length > 0 ? `, {\n${options.map((line) => `  ${line},\n`).join("")}}` : "";
  const call = `await fetch(api + ${JSON.stringify(path)}${tail})`;
  return task.reads ? `(${call})\n  .headers.get(${JSON.stringify(task.reads)})` : call;
}

export function renderChanges(changes) {
  const items = changes.map((change) => element("li", "", element("code", "", change)));
  return element("ul", "changes", ...items);
}

const READER = { page: "own-origin", other: "other-origin", null: "null-origin" };

// The lines stay neutral until the browser has run the rows.
export function renderBoundary(container, state) {
  const lines = Object.entries(state.pages).map(([name, origin]) => {
    const line = element(
      "li",
      "line is-waiting",
      who(name),
      element("span", "origin", name === "null" ? "a sandboxed frame" : origin),
      element("span", "may", "…"),
      element("span", "wire-line"),
    );
    line.dataset.reader = READER[name];
    return line;
  });
  const api = element(
    "li", "api", element("span", "who", "API"),
    element("span", "origin", state.api), element("span", "app", state.app),
  );
  container.replaceChildren(...lines, api);
}

export function judgeBoundary(row, outcome) {
  const line = document.querySelector(`[data-reader="${row.name}"]`);
  if (line === null) return;
  const name = kind(outcome, row.fetch);
  line.className = `line is-${name}`;
  line.querySelector(".may").textContent = name === "blocked" ? "may not read" : "may read";
  line.querySelector(".wire-line").replaceChildren(icon(name));
}
