// What the buttons, keys and lists of the page do.

import { draw, guides } from "./board.js";
import { drawBoxList, say } from "./box_list.js";
import { addClass, drawClassList, firstFound } from "./class_list.js";
import { addAll, addInView, changeSelected } from "./editing.js";
import { byId } from "./elements.js";
import { neighbor, nextOpen, show } from "./navigation.js";
import { showError, showNote } from "./notices.js";
import { sharpen } from "./picture.js";
import { drawProposals } from "./proposals.js";
import { selectedBox, state } from "./state.js";
import { drawTools } from "./tools.js";
import { fit, reveal, toImage, viewport, zoomStep } from "./viewport.js";

export const ACTIVE = "ssd300-label-class"; // of the session: the class of the next box

export function selected() {
  const box = selectedBox();
  if (box?.box) reveal(state.image, box.box);
  draw();
  drawBoxList();
  drawTools();
  drawProposals();
}

export function chooseClass(name) {
  state.activeClass = name;
  sessionStorage.setItem(ACTIVE, name);
  if (selectedBox()) changeSelected({ name });
  drawClassList();
}

export async function takeTyped() {
  const text = byId("class-search").value.trim();
  if (!text) return;
  try {
    const isKnown = state.classes.find((one) => one.name.toLowerCase() === text.toLowerCase());
    const name = isKnown?.name ?? (firstFound() || (await addClass(text)));
    byId("class-search").value = "";
    chooseClass(name);
    byId("canvas").focus();
  } catch (error) {
    showError(error);
  }
}

export async function go(step) {
  const number = neighbor(step);
  if (number === undefined) say(step > 0 ? "This is the last image" : "This is the first image");
  else await show(number);
}

export async function goOpen() {
  const number = nextOpen();
  if (number === undefined) showNote("All listed images are labeled.");
  else await show(number);
}

export async function copyOn() {
  const copies = state.boxes.filter((one) => one.box && one.name);
  const number = neighbor(1);
  if (copies.length === 0 || number === undefined) return;
  await show(number);
  if (state.image?.number !== number) return;
  const { width, height } = state.image;
  const fitting = copies.filter(({ box }) => box[2] <= width && box[3] <= height);
  if (fitting.length > 0) addAll(fitting);
  if (fitting.length < copies.length) showNote(`${copies.length - fitting.length} boxes do not fit into this smaller image.`);
}

export function zoom(direction) {
  if (!state.image?.width) return;
  zoomStep(state.image, direction);
  sharpen(draw);
  draw();
}

export function fitView() {
  if (!state.image?.width) return;
  fit(state.image);
  sharpen(draw);
  draw();
}

// A box in the middle of what is seen.
export function addBox() {
  if (!state.image?.width) return;
  const { width, height } = state.image;
  const start = toImage({ x: 0, y: 0 });
  const end = toImage({ x: viewport.width, y: viewport.height });
  addInView([Math.max(start.x, 0), Math.max(start.y, 0), Math.min(end.x, width), Math.min(end.y, height)]);
}

export function toggleGuides() {
  guides.on = !guides.on;
  drawTools();
  draw();
}

export function resize() {
  const { clientWidth, clientHeight } = byId("board");
  const sharpness = window.devicePixelRatio || 1;
  Object.assign(viewport, { width: clientWidth, height: clientHeight });
  byId("canvas").width = Math.round(clientWidth * sharpness);
  byId("canvas").height = Math.round(clientHeight * sharpness);
  if (state.image?.width && viewport.isFitted) fit(state.image);
  draw();
  sharpen(draw);
}
