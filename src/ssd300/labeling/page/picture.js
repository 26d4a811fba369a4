// The pixels of the shown image: the whole one, reduced if it is large, and a sharp part of it where the view is close.

import { byId } from "./elements.js";
import { request } from "./api.js";
import { state } from "./state.js";
import { toImage, viewport } from "./viewport.js";

const WAIT_MS = 160; // after the last movement of the view
const AROUND = 0.15; // of the view, so that a short way needs no new part
const MOST_PX = 4096;

export const picture = { whole: null, part: null };
let wanted = "";
let timer = 0;
let ahead = null; // {picture, bitmap} of the image that comes next

export async function loadPicture(image) {
  wanted = image.picture;
  picture.whole = picture.part = null;
  if (!image.picture) return;
  byId("waiting").hidden = false;
  try {
    const bitmap = ahead?.picture === image.picture ? await ahead.bitmap : await fetchBitmap(address(image, "reduced"));
    if (wanted === image.picture) picture.whole = bitmap;
  } finally {
    if (wanted === image.picture) byId("waiting").hidden = true;
  }
}

// Fetches the picture that will probably be asked for next.
export function lookAhead(image) {
  if (!image?.picture || ahead?.picture === image.picture) return;
  const bitmap = fetchBitmap(address(image, "reduced"));
  bitmap.catch(() => (ahead = null));
  ahead = { picture: image.picture, bitmap };
}

// After a change of the view: a sharp part, where the reduced image has fewer pixels than the screen.
export function sharpen(redraw) {
  clearTimeout(timer);
  const { whole } = picture;
  if (!whole || whole.width >= state.image.width) return;
  const sharpness = window.devicePixelRatio || 1;
  if (viewport.scale * sharpness <= (1.1 * whole.width) / state.image.width) {
    picture.part = null;
    return;
  }
  timer = setTimeout(() => fetchPart(sharpness, redraw), WAIT_MS);
}

async function fetchPart(sharpness, redraw) {
  const { image } = state;
  const margin = { x: viewport.width * AROUND, y: viewport.height * AROUND };
  const start = toImage({ x: -margin.x, y: -margin.y });
  const end = toImage({ x: viewport.width + margin.x, y: viewport.height + margin.y });
  const box = [
    Math.max(Math.floor(start.x), 0), Math.max(Math.floor(start.y), 0),
    Math.min(Math.ceil(end.x), image.width), Math.min(Math.ceil(end.y), image.height),
  ];
  if (box[0] >= box[2] || box[1] >= box[3]) return;
  const width = Math.min(Math.ceil((box[2] - box[0]) * viewport.scale * sharpness), MOST_PX);
  const query = new URLSearchParams({ left: box[0], top: box[1], right: box[2], bottom: box[3], width: Math.max(width, 1) });
  const bitmap = await fetchBitmap(`${address(image, "part")}&${query}`).catch(() => null); // the reduced image stays
  if (!bitmap || wanted !== image.picture) return;
  picture.part = { bitmap, box };
  redraw();
}

function address({ number, picture: stamp }, kind) {
  return `v1/label/images/${number}/${kind}?of=${encodeURIComponent(stamp)}`;
}

async function fetchBitmap(from) {
  const blob = await (await request(from)).blob();
  return createImageBitmap(blob);
}
