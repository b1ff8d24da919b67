// Everything is made of text nodes: nothing that a server sends is ever markup.

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function codeBlock(text) {
  return element("pre", "code", text);
}
