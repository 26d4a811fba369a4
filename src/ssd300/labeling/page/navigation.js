// From one image to another: what is not saved yet is saved first.

import { request } from "./api.js";
import { draw } from "./board.js";
import { drawBoxList } from "./box_list.js";
import { forget } from "./editing.js";
import { byId } from "./elements.js";
import { drawImageList, listed } from "./image_list.js";
import { showError, showNote } from "./notices.js";
import { loadPicture, lookAhead, sharpen } from "./picture.js";
import { loadProposals } from "./proposals.js";
import { flush, resolved } from "./saving.js";
import { splitsOf } from "./splits.js";
import { newId, state } from "./state.js";
import { drawTools } from "./tools.js";
import { fit } from "./viewport.js";

const AHEAD = 6; // images
let wanted = -1;

// Shows the image of a number, placed by `view`. Stays where it is if the last changes cannot be saved.
export async function show(number, view = fit) {
  if (number === undefined || number === null) return;
  wanted = number;
  if (state.boxes.some((one) => one.box && !one.name)) {
    showNote("A box has no class yet: choose one, or remove the box.");
    byId("class-search").focus();
    return;
  }
  if (state.image && !(await flush())) return;
  try {
    const image = await (await request(`v1/label/images/${number}`)).json();
    if (wanted !== number) return;
    take(image);
    const whole = loadPicture(image);
    loadProposals(next());
    view(image);
    drawAll();
    await whole;
    if (wanted !== number) return;
    draw();
    sharpen(draw);
    prepareNext();
  } catch (error) {
    if (wanted === number) showError(error);
  }
}

// Makes labels that the server sent those of the page.
export function take(image, { keepSelected = false } = {}) {
  const isOther = image.number !== state.image?.number;
  state.image = image;
  state.version = image.version;
  state.exists = image.exists;
  state.keys = new Map();
  state.boxes = image.boxes.map(({ key, ...box }) => {
    const id = newId();
    state.keys.set(id, key);
    return { id, ...box };
  });
  if (!keepSelected) state.selected = state.hovered = null;
  if (isOther) state.proposals = [];
  forget();
  resolved();
  showError(image.fault ? new Error(`${image.name} cannot be labeled: ${image.fault}. ${image.fix}`.trim()) : null);
  if (isOther) showNote(null);
  history.replaceState(null, "", `#${encodeURIComponent(image.name)}`);
}

export function drawAll() {
  draw();
  drawBoxList();
  drawTools();
  drawImageList();
  const { image } = state;
  const place = listed().findIndex((line) => line.number === image.number) + 1;
  const size = image.width ? ` · ${image.width} × ${image.height}` : "";
  const position = place ? ` · ${place.toLocaleString("en")} of ${listed().length.toLocaleString("en")}` : "";
  const splits = splitsOf(image.number);
  const split = splits ? ` · ${splits.join(", ") || "in no split"}` : "";
  byId("image-caption").textContent = `${image.name}${size}${position}${split}`;
}

// The number of the listed image that many places further; the shown one may be in no list by now.
export function neighbor(step) {
  const lines = listed();
  const place = lines.findIndex((line) => line.number === state.image?.number);
  if (place < 0) return lines.find((line) => line.number > (state.image?.number ?? -1))?.number ?? lines[0]?.number;
  return lines[place + step]?.number;
}

// The next listed image without labels, from the start again behind the last one.
export function nextOpen() {
  const lines = listed();
  const place = lines.findIndex((line) => line.number === state.image?.number);
  const order = [...lines.slice(place + 1), ...lines.slice(0, Math.max(place, 0))];
  return order.find((line) => line.state !== "done" && !line.fault)?.number;
}

// The numbers of the listed images that come next.
function next() {
  const lines = listed();
  const place = lines.findIndex((line) => line.number === state.image?.number);
  return lines.slice(place + 1, place + 1 + AHEAD).filter((line) => line.state !== "done").map((line) => line.number);
}

async function prepareNext() {
  const number = neighbor(1);
  if (number === undefined || number === null) return;
  const next = await request(`v1/label/images/${number}`).then((answer) => answer.json()).catch(() => null);
  lookAhead(next);
}
