// Where the labels of boxes go: beside their boxes, none on top of another. The rule of images/tags.py: the first label
// chooses first; each takes, among its places, the one that hides least of other boxes and of its own.
// Knows neither canvas nor page. A box and a place are {left, top, right, bottom}.

export const MANY = 15; // of more boxes only those are named whose label hides little
const LARGE = 1 / 12; // of the image: so is a label that is larger
const STEP = 0.25; // places that differ by less than this share of what they hide are equally good
const AROUND = 0.8; // a box that contains this share of another is around it, and is not hidden by its label

// The place of each of `labels`, {width, height, box}, in an area of this width and height; null where there is no room.
export function placeLabels(labels, width, height) {
  const boxes = labels.map((one) => one.box);
  const taken = [];
  return labels.map((label) => {
    const isStrict = labels.length > MANY || label.width * label.height > LARGE * width * height;
    const others = boxes.filter((one) => one !== label.box && shared(one, label.box) < AROUND * area(label.box));
    let best = null;
    for (const place of placesOf(label, width, height)) {
      if (taken.some((one) => shared(one, place) > 0)) continue;
      const cost = hidden(place, label.box, others);
      if ((cost < 1 || !isStrict) && !(best?.cost <= cost)) best = { ...place, cost };
    }
    if (best) taken.push(best);
    return best;
  });
}

// Above the box, inside it, below it, and at its sides; without those that are not in the area.
function placesOf({ width, height, box }, areaWidth, areaHeight) {
  const left = Math.max(0, Math.min(box.left, areaWidth - width));
  const right = Math.max(box.right - width, 0);
  const { top, bottom } = box;
  const corners = [
    [left, top - height], [right, top - height],
    [left, top], [left, bottom], [right, top], [right, bottom],
    [box.right, top], [box.left - width, top], [box.right, bottom - height], [box.left - width, bottom - height],
    [left, bottom - height], [right, bottom - height], [left, top - 2 * height], [left, bottom + height],
  ];
  return corners
    .map(([x, y]) => ({ left: x, top: y, right: x + width, bottom: y + height }))
    .filter((one) => one.left >= 0 && one.top >= 0 && one.right <= areaWidth && one.bottom <= areaHeight);
}

// What a label hides, in steps: the share of it that is on another box, and its share of its own box.
function hidden(place, own, others) {
  const onOthers = Math.max(0, ...others.map((one) => shared(place, one))) / area(place);
  return Math.floor((onOthers + shared(place, own) / Math.max(area(own), 1)) / STEP);
}

function shared(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(width, 0) * Math.max(height, 0);
}

function area({ left, top, right, bottom }) {
  return (right - left) * (bottom - top);
}
