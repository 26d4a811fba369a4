// The header: which model, what it finds, and how good it was measured to be, in words.

import { byId } from "./elements.js";

const MAX_NAMED = 8; // of more classes only the number is told
const RULES = { voc07_11pt: "VOC 2007 rule", voc12_area: "VOC 2012 rule", coco_ap: "COCO rule" };

export function drawHeader({ model, classes, metric }) {
  const names = classes.map((one) => one.name).join(", ");
  const count = `${classes.length} ${classes.length === 1 ? "class" : "classes"}`;
  const parts = [
    model,
    classes.length <= MAX_NAMED ? `${count}: ${names}` : count,
    metric?.value == null ? "" : quality(metric),
  ];
  byId("model").textContent = parts.filter(Boolean).join(" · ");
  byId("model").title = `${names}. mAP: mean average precision of the classes, from 0 to 1.`;
}

// Such as "mAP 0.83 (VOC 2007 rule, IoU 0.5) on 72 images".
function quality({ name, value, images }) {
  const on = images ? ` on ${images} ${images === 1 ? "image" : "images"}` : "";
  return `mAP ${value.toFixed(2)}${name ? ` (${inWords(name)})` : ""}${on}`;
}

// The full name of a metric is like `voc07_11pt@0.5` or `coco_ap@0.50:0.95`, with departures from the rule behind it.
function inWords(name) {
  const [, short, ious, departures] = /^(\w+)@([\d.:]+)(?: \((.*)\))?$/.exec(name) ?? [];
  if (!(short in RULES)) return name;
  const iou = ious.split(":").map(Number).join(" to ");
  return [RULES[short], `IoU ${iou}`, departures].filter(Boolean).join(", ");
}
