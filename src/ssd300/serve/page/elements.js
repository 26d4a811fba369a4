// Finds, makes and replaces elements of the document.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function dot(color) {
  const made = element("span", { className: "dot" });
  made.style.background = color;
  return made;
}

// Replaces the children. If a button had the focus, the new button at its position gets it, or the last one.
export function replaceKeepingFocus(parent, children) {
  const position = [...parent.querySelectorAll("button")].indexOf(document.activeElement);
  parent.replaceChildren(...children);
  const buttons = parent.querySelectorAll("button");
  if (position >= 0) (buttons[position] ?? buttons[buttons.length - 1])?.focus();
}
