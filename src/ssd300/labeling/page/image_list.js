// The list of images, of which only the rows in view are elements, so that it may be long. Small pictures are fetched as
// their rows come into view.

import { request } from "./api.js";
import { byId, element } from "./elements.js";
import { colorOf, lineState, state } from "./state.js";

const ROW_PX = 64;
const MORE = 6; // rows above and below
const AT_ONCE = 4; // requests for small pictures
const KEPT = 500;
const LONGEST = 17; // letters of a name
const STATES = { none: "not labeled", proposed: "proposed", done: "labeled", fault: "has a problem" };
const addresses = new Map(); // of small pictures, by the number of the image; "" for one that cannot be had
const fetching = new Set();
const order = { numbers: null }; // that the server gave; null for that of the names
let known = { key: "", lines: [] };
let version = 0;

// After a change of what the lines say.
export function linesChanged() {
  version += 1;
}

export function useOrder(numbers) {
  order.numbers = numbers;
  linesChanged();
}

// Lists the images that were chosen when the server was started, if some were.
export function listChosen() {
  if (state.project.listed.length === 0) return;
  const option = byId("image-filter").querySelector("[value=listed]");
  option.hidden = option.disabled = false;
  byId("image-filter").value = "listed";
}

// The lines that the filter and the search let through, in order.
export function listed() {
  const text = byId("image-search").value.trim().toLowerCase();
  const kept = byId("image-filter").value;
  const key = `${version}|${kept}|${text}`;
  if (known.key === key) return known.lines;
  const chosen = kept === "listed" ? new Set(state.project.listed) : null;
  const numbers = order.numbers ?? (chosen && [...chosen]);
  const all = numbers ? numbers.map((number) => state.lines[number]).filter(Boolean) : state.lines;
  const isKept = (line) => (chosen ? chosen.has(line.number) : kept === "all" || lineState(line) === kept);
  const lines = all.filter((line) => isKept(line) && isMeant(line, text));
  known = { key, lines };
  return lines;
}

export function drawImageList({ follow = true } = {}) {
  const lines = listed();
  const scroll = byId("image-scroll");
  byId("image-count").textContent = lines.length === state.lines.length
    ? `${lines.length.toLocaleString("en")} ${lines.length === 1 ? "image" : "images"}`
    : `${lines.length.toLocaleString("en")} of ${state.lines.length.toLocaleString("en")} images`;
  byId("image-rows").style.height = `${lines.length * ROW_PX}px`;
  const current = lines.findIndex((line) => line.number === state.image?.number);
  if (follow && current >= 0) reveal(scroll, current);
  const first = Math.max(Math.floor(scroll.scrollTop / ROW_PX) - MORE, 0);
  const end = Math.min(Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW_PX) + MORE, lines.length);
  byId("image-rows").replaceChildren(...lines.slice(first, end).map((line, index) => row(line, first + index, lines.length)));
  if (current >= first && current < end) scroll.setAttribute("aria-activedescendant", `image-${state.image.number}`);
  else scroll.removeAttribute("aria-activedescendant");
  fetchSmall(lines.slice(first, end));
}

export function drawProgress() {
  const done = state.lines.filter((line) => line.state === "done").length;
  byId("progress").hidden = state.lines.length === 0;
  byId("progress-bar").max = Math.max(state.lines.length, 1);
  byId("progress-bar").value = done;
  byId("progress-text").textContent = `${done.toLocaleString("en")} of ${state.lines.length.toLocaleString("en")} labeled`;
}

// The number of the image whose row an element is in; null for none.
export function imageOfRow(target) {
  const found = target.closest?.("[data-image]");
  return found ? Number(found.dataset.image) : null;
}

function isMeant(line, text) {
  if (!text || line.name.toLowerCase().includes(text)) return true;
  return Object.keys(line.classes).some((name) => name.toLowerCase().includes(text));
}

function row(line, place, count) {
  const kind = lineState(line);
  const isShown = line.number === state.image?.number;
  const made = element("div", { id: `image-${line.number}`, className: "image-row" }, [
    thumbnail(line),
    element("span", { className: "words" }, [
      element("span", { className: "name" }, [shortened(line.name.split("/").at(-1))]),
      element("span", { className: "counts" }, counts(line, kind)),
    ]),
    element("span", { className: `state ${kind}`, title: STATES[kind] }),
  ]);
  made.style.top = `${place * ROW_PX}px`;
  made.title = line.fault ? `${line.name}: ${line.fault}` : line.name;
  made.dataset.image = line.number;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", String(isShown));
  made.setAttribute("aria-setsize", String(count));
  made.setAttribute("aria-posinset", String(place + 1));
  made.setAttribute("aria-label", `${line.name}, ${STATES[kind]}`);
  return made;
}

// Names of one folder often differ at their end alone.
function shortened(name) {
  return name.length > LONGEST ? `${name.slice(0, 5)}…${name.slice(6 - LONGEST)}` : name;
}

function thumbnail(line) {
  const address = addresses.get(line.number);
  return address ? element("img", { src: address, alt: "" }) : element("span", { className: "empty" });
}

function counts(line, kind) {
  const entries = Object.entries(line.classes);
  if (entries.length === 0) return [kind === "done" ? "no objects" : STATES[kind]];
  return entries.slice(0, 3).map(([name, count]) => {
    const made = element("span", { className: "count", title: `${count} ${name}` }, [String(count)]);
    made.style.setProperty("--color", colorOf(name).color);
    return made;
  });
}

function reveal(scroll, place) {
  const top = place * ROW_PX;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  else if (top + ROW_PX > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + ROW_PX - scroll.clientHeight;
}

async function fetchSmall(lines) {
  for (const { number } of lines) {
    if (fetching.size >= AT_ONCE) return;
    if (addresses.has(number) || fetching.has(number)) continue;
    fetching.add(number);
    request(`v1/label/images/${number}/small`)
      .then((answer) => answer.blob())
      .then((blob) => keep(number, URL.createObjectURL(blob)))
      .catch(() => keep(number, ""))
      .finally(() => {
        fetching.delete(number);
        drawImageList({ follow: false });
      });
  }
}

function keep(number, address) {
  addresses.set(number, address);
  if (addresses.size <= KEPT) return;
  const [oldest, old] = addresses.entries().next().value;
  addresses.delete(oldest);
  URL.revokeObjectURL(old);
}
