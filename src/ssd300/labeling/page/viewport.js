// Which part of the image is seen, and how large. Points of the screen are in CSS pixels from the board's corner.

import { clamp } from "./geometry.js";

const MARGIN = 16; // around the whole image
const MOST = 32; // CSS pixels for a pixel of the image
const STEP = 1.25;
const AROUND = 0.7; // of the box's longer side, on each side
const LEAST_SHARE = 0.15; // of the image's shorter side, for a small box among its surroundings

export const viewport = { scale: 1, x: 0, y: 0, width: 0, height: 0, isFitted: true };

export function toImage({ x, y }) {
  return { x: (x - viewport.x) / viewport.scale, y: (y - viewport.y) / viewport.scale };
}

export function toScreen([xmin, ymin, xmax, ymax]) {
  const { scale, x, y } = viewport;
  return [xmin * scale + x, ymin * scale + y, xmax * scale + x, ymax * scale + y];
}

export function fit(image) {
  viewport.scale = fitted(image);
  viewport.x = (viewport.width - image.width * viewport.scale) / 2;
  viewport.y = (viewport.height - image.height * viewport.scale) / 2;
  viewport.isFitted = true;
}

// Zooms so that a box and what is around it fill the view.
export function zoomTo(image, [xmin, ymin, xmax, ymax]) {
  const least = LEAST_SHARE * Math.min(image.width, image.height);
  const side = Math.max(xmax - xmin, ymax - ymin, least) * (1 + 2 * AROUND);
  const room = Math.min(viewport.width, viewport.height);
  viewport.scale = clamp(room / side, fitted(image), MOST);
  viewport.x = viewport.width / 2 - ((xmin + xmax) / 2) * viewport.scale;
  viewport.y = viewport.height / 2 - ((ymin + ymax) / 2) * viewport.scale;
  viewport.isFitted = false;
  keepInView(image);
}

// Zooms so that the point of the screen stays where it is.
export function zoomAt(image, point, factor) {
  const least = Math.min(fitted(image), 1) / 2;
  const scale = clamp(viewport.scale * factor, least, MOST);
  viewport.x = point.x - ((point.x - viewport.x) / viewport.scale) * scale;
  viewport.y = point.y - ((point.y - viewport.y) / viewport.scale) * scale;
  viewport.scale = scale;
  viewport.isFitted = false;
  keepInView(image);
}

export function zoomStep(image, direction) {
  zoomAt(image, { x: viewport.width / 2, y: viewport.height / 2 }, direction > 0 ? STEP : 1 / STEP);
}

export function pan(image, dx, dy) {
  viewport.x += dx;
  viewport.y += dy;
  viewport.isFitted = false;
  keepInView(image);
}

// Moves the view so that a box is in it.
export function reveal(image, box) {
  const [left, top, right, bottom] = toScreen(box);
  const isSeen = right > MARGIN && bottom > MARGIN && left < viewport.width - MARGIN && top < viewport.height - MARGIN;
  if (isSeen) return;
  pan(image, viewport.width / 2 - (left + right) / 2, viewport.height / 2 - (top + bottom) / 2);
}

function fitted({ width, height }) {
  const room = { width: Math.max(viewport.width - 2 * MARGIN, 1), height: Math.max(viewport.height - 2 * MARGIN, 1) };
  return Math.min(room.width / width, room.height / height, 4);
}

// Some of the image always stays in view.
function keepInView({ width, height }) {
  const least = 60;
  viewport.x = clamp(viewport.x, least - width * viewport.scale, viewport.width - least);
  viewport.y = clamp(viewport.y, least - height * viewport.scale, viewport.height - least);
}
