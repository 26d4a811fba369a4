// The boxes of the image as a list: the same selection as in the image, for those who do not see it too.

import { byId, dot, element } from "./elements.js";
import { inWords } from "./editing.js";
import { colorOf, state } from "./state.js";

const MOST_ROWS = 300;

export function drawBoxList() {
  const { boxes, selected } = state;
  byId("boxes-title").textContent = title();
  byId("canvas").setAttribute("aria-label", state.image ? `${state.image.name}: ${title()}` : "");
  byId("boxes").replaceChildren(...boxes.slice(0, MOST_ROWS).map(row));
  const chosen = boxes.findIndex((one) => one.id === selected);
  if (chosen >= 0) {
    byId("boxes").setAttribute("aria-activedescendant", `box-${selected}`);
    reveal(byId("boxes"), byId(`box-${selected}`));
  } else {
    byId("boxes").removeAttribute("aria-activedescendant");
  }
}

export function say(text) {
  byId("announce").textContent = text;
}

// The id of the box whose row an element is in; null for none.
export function boxOfRow(target) {
  const found = target.closest?.("[data-box]");
  return found ? Number(found.dataset.box) : null;
}

// Scrolls the list alone: `scrollIntoView` would scroll the page too, away from the image.
function reveal(list, item) {
  if (!item) return;
  const [around, inside] = [list.getBoundingClientRect(), item.getBoundingClientRect()];
  if (inside.top < around.top) list.scrollTop -= around.top - inside.top;
  else if (inside.bottom > around.bottom) list.scrollTop += inside.bottom - around.bottom;
}

function row(box) {
  const made = element("li", { id: `box-${box.id}` }, [
    dot(colorOf(box.name).color),
    element("span", { className: "name" }, [box.name || "which class?"]),
    element("span", { className: "place" }, [place(box)]),
    element("button", { type: "button", className: "remove", title: "Remove (Del)", tabIndex: -1 }, ["×"]),
  ]);
  made.dataset.box = box.id;
  made.lastChild.setAttribute("aria-label", `Remove ${box.name}`);
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", String(box.id === state.selected));
  made.setAttribute("aria-label", inWords(box));
  made.classList.toggle("hovered", box.id === state.hovered);
  if (box.fault) {
    made.title = box.fault;
    made.classList.add("faulty");
  }
  return made;
}

function place({ box, fault, difficult, truncated }) {
  if (!box) return fault ? "no usable box" : "";
  const flags = `${difficult ? " D" : ""}${truncated ? " T" : ""}`;
  return `${Math.round(box[2] - box[0])} × ${Math.round(box[3] - box[1])}${flags}`;
}

function title() {
  const count = state.boxes.length;
  if (count > 0) return `${count} ${count === 1 ? "box" : "boxes"}`;
  if (state.image?.fault) return state.image.picture ? "The labels cannot be read" : "The image cannot be read";
  return state.exists ? "No objects in this image" : "No boxes yet";
}
