// The explanation of a row: the verdict, its code and the fix, the steps, and the consoles.

import { codeBlock, codeLink, element } from "./element.js";

const BROWSERS = { chromium: "Chrome", firefox: "Firefox", safari: "Safari" };

export function explanation(told, browser, id) {
  const { allowed, reason, page, message, hint, steps } = told;
  const verdict = element("p", "", element("b", "", allowed ? "Allowed. " : "Refused. "), message);
  const box = element("div", `told is-${allowed ? "readable" : "blocked"}`, verdict);
  if (reason) box.append(element("p", "code-page", "Code ", codeLink(reason, page)));
  if (reason !== told.browser_reason) {
    const known = element("code", "reason", told.browser_reason);
    box.append(element("p", "code-page", "All that the browser knows: ", known));
  }
  if (hint) box.append(element("p", "fix", element("b", "", "Fix: "), `${hint}.`));
  const parts = [box, element("h4", "", "What a browser does"), stepList(steps)];
  const own = Object.entries(told.console).filter(([name]) => name === browser);
  const others = Object.entries(told.console).filter(([name]) => name !== browser);
  if (own.length > 0) {
    parts.push(element("h4", "", "What the console says"), ...own.flatMap(consoleText));
  }
  if (others.length > 0) {
    const title = own.length > 0 ? "What other consoles say" : "What the consoles say";
    parts.push(more(id, title, ...others.flatMap(consoleText)));
  }
  return element("div", "explanation", ...parts);
}

// Details to open; the id keeps them open when the rows are rendered again.
function more(id, title, ...children) {
  const details = element("details", "more", element("summary", "", title), ...children);
  details.id = id;
  return details;
}

function stepList(steps) {
  const items = steps.map(({ ok, text, section }) => {
    const mark = element("b", "step-mark", ok ? "ok" : "no");
    const [address, ...where] = section.split(", ");
    const link = element("a", "", ["Fetch", ...where].join(", "));
    link.href = address;
    const source = element("span", "section", "(", link, ")");
    return element("li", ok ? "is-readable" : "is-blocked", mark, ` ${text} `, source);
  });
  return element("ol", "steps", ...items);
}

function consoleText([browser, text]) {
  return [element("p", "exchange-name", BROWSERS[browser]), codeBlock(text)];
}

const RESPONSES = { preflight: "The preflight’s answer", actual: "The response" };

export function headerNotes(notes, id) {
  if (notes.length === 0) return [];
  const list = element("dl", "notes-on-headers");
  let last = null;
  for (const { name, value, why, response } of notes) {
    if (response !== last) list.append(element("dt", "response", RESPONSES[response]));
    last = response;
    list.append(element("dt", "", element("code", "", `${name}: ${value}`)), element("dd", "", why));
  }
  return [more(id, "Why each header is there", list)];
}
