// Elements from text only: nothing that a server sends becomes markup.

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// A link from a code to its page.
export function codeLink(code, page) {
  const link = element("a", "reason", code);
  link.href = page;
  link.target = "_blank";
  link.rel = "noopener";
  return link;
}

export function codeBlock(text) {
  return element("pre", "code", text);
}
