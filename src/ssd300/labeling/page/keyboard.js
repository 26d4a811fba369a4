// What the keys do, wherever the focus is but in a text field.

import {
  addInView, nudge, nudgeSize, redo, removeSelected, selectNext, toggleFlag, toggleNoObjects,
} from "./editing.js";
import { byId } from "./elements.js";
import { nameOfDigit } from "./class_list.js";
import { abort, holdSpace } from "./pointing.js";
import { dismiss, shownProposals } from "./proposals.js";
import { selectedBox, state } from "./state.js";
import { toImage, viewport } from "./viewport.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `does` has what other modules do: go, chooseClass, zoom, fitView, toggleGuides, copyOn, accept, help, selected,
// undo, review, takeDetector, keepLabel.
export function setUpKeyboard(does) {
  document.addEventListener("keydown", (event) => keyDown(event, does));
  document.addEventListener("keyup", (event) => event.key === " " && holdSpace(false));
  window.addEventListener("blur", () => holdSpace(false));
}

function keyDown(event, does) {
  const isText = event.target.matches("input:not([type=checkbox], [type=range]), textarea, select");
  if (document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !isText) {
    event.preventDefault();
    (event.shiftKey ? redo : does.undo)();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "y" && !isText) {
    event.preventDefault();
    redo();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isText) return;
  if (event.key === "Tab") {
    tab(event, does);
    return;
  }
  if (ARROWS[event.key]) {
    arrow(event, does);
    return;
  }
  if (act(event, does)) event.preventDefault();
}

// Whether the key has a meaning here.
function act(event, does) {
  const isButton = event.target.matches("button, [role=tab], input");
  switch (event.key.toLowerCase()) {
    case " ":
      if (isButton) return false;
      holdSpace(true);
      return true;
    case "delete": case "backspace": if (!dismiss()) removeSelected(); return true;
    case "escape": abort(); state.selected = null; does.selected(); return true;
    case "n": does.go(1); return true;
    case "p": does.go(-1); return true;
    case "u": does.goOpen(); return true;
    case "b": addInView(seen()); return true;
    case "c": does.copyOn(); return true;
    case "a": does.accept(event.shiftKey); return true;
    case "d": toggleFlag("difficult"); return true;
    case "t": toggleFlag("truncated"); return true;
    case "e": toggleNoObjects(); return true;
    case "r": does.review(event.shiftKey ? -1 : 1); return true;
    case "y": does.takeDetector(); return true;
    case "k": does.keepLabel(); return true;
    case "f": does.fitView(); return true;
    case "g": does.toggleGuides(); return true;
    case "+": case "=": does.zoom(1); return true;
    case "-": does.zoom(-1); return true;
    case "/": byId("class-search").focus(); return true;
    case "?": does.help(); return true;
    default: return digit(event.key, does);
  }
}

function digit(key, does) {
  if (!/^[1-9]$/.test(key)) return false;
  const name = nameOfDigit(Number(key));
  if (name) does.chooseClass(name);
  return Boolean(name);
}

// Within the canvas Tab goes from box to box, and on to the next element behind the last one.
function tab(event, does) {
  if (event.target !== byId("canvas")) return;
  const next = selectNext([...state.boxes, ...shownProposals()], event.shiftKey ? -1 : 1);
  does.selected();
  if (next) event.preventDefault();
}

function arrow(event, does) {
  const [dx, dy] = ARROWS[event.key];
  if (event.target.closest("#boxes")) {
    event.preventDefault();
    if (dy) selectNext(state.boxes, dy);
    does.selected();
  } else if (event.target.closest("[role=radiogroup], [role=tablist], #image-scroll, [type=range]")) {
    does.within(event, dx + dy);
  } else if (selectedBox()) {
    event.preventDefault();
    (event.shiftKey ? nudgeSize : nudge)(dx, dy);
  } else if (dx) {
    event.preventDefault();
    does.go(dx);
  }
}

// The part of the image that is seen.
function seen() {
  const { width, height } = state.image;
  const start = toImage({ x: 0, y: 0 });
  const end = toImage({ x: viewport.width, y: viewport.height });
  return [Math.max(start.x, 0), Math.max(start.y, 0), Math.min(end.x, width), Math.min(end.y, height)];
}

