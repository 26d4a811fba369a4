// Boxes as [xmin, ymin, xmax, ymax] in pixels of the image: pure functions.

const LEAST = 2; // pixels of a side; what is smaller was a click

// The handles of a box: which corners of it they move, and where they are, as shares of its sides.
export const HANDLES = [
  { x: 0, y: 0, cursor: "nwse-resize" }, { x: 0.5, y: 0, cursor: "ns-resize" }, { x: 1, y: 0, cursor: "nesw-resize" },
  { x: 0, y: 0.5, cursor: "ew-resize" }, { x: 1, y: 0.5, cursor: "ew-resize" },
  { x: 0, y: 1, cursor: "nesw-resize" }, { x: 0.5, y: 1, cursor: "ns-resize" }, { x: 1, y: 1, cursor: "nwse-resize" },
];

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The box between two points, at whole pixels within the image.
export function between(a, b, width, height) {
  const [x1, x2] = [clamp(Math.round(a.x), 0, width), clamp(Math.round(b.x), 0, width)];
  const [y1, y2] = [clamp(Math.round(a.y), 0, height), clamp(Math.round(b.y), 0, height)];
  return [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];
}

export function isLarge([xmin, ymin, xmax, ymax]) {
  return xmax - xmin >= LEAST && ymax - ymin >= LEAST;
}

// Moved by whole pixels, but not out of the image.
export function moved([xmin, ymin, xmax, ymax], dx, dy, width, height) {
  const x = within(Math.round(dx), -xmin, width - xmax);
  const y = within(Math.round(dy), -ymin, height - ymax);
  return [xmin + x, ymin + y, xmax + x, ymax + y];
}

// With a handle at another place. A side does not get shorter than a pixel.
export function resized([xmin, ymin, xmax, ymax], handle, point, width, height) {
  const x = clamp(Math.round(point.x), 0, width);
  const y = clamp(Math.round(point.y), 0, height);
  return [
    handle.x === 0 ? Math.min(x, xmax - 1) : xmin,
    handle.y === 0 ? Math.min(y, ymax - 1) : ymin,
    handle.x === 1 ? Math.max(x, xmin + 1) : xmax,
    handle.y === 1 ? Math.max(y, ymin + 1) : ymax,
  ];
}

export function area([xmin, ymin, xmax, ymax]) {
  return (xmax - xmin) * (ymax - ymin);
}

// Intersection over union.
export function overlap(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

// The smallest of the items under a point, within `slack` pixels of the image; null for none.
export function itemAt(items, { x, y }, slack) {
  const under = items.filter(({ box }) =>
    box && x >= box[0] - slack && x <= box[2] + slack && y >= box[1] - slack && y <= box[3] + slack);
  return under.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
}

// A step between two limits; none where the box reaches out of the image already.
function within(step, low, high) {
  return low > high ? 0 : clamp(step, Math.min(low, 0), Math.max(high, 0));
}
