// The header: which model, what it finds, and how good it was measured to be, in words.

import { byId } from "./elements.js";

const MAX_NAMED = 8; // if there are more classes, only their number is shown

export function drawHeader({ model, classes, metric }) {
  const names = classes.map((one) => one.name).join(", ");
  const count = `${classes.length} ${classes.length === 1 ? "class" : "classes"}`;
  const parts = [
    model,
    classes.length <= MAX_NAMED ? `${count}: ${names}` : count,
    metric?.words ? quality(metric) : "",
  ];
  byId("model").textContent = parts.filter(Boolean).join(" · ");
  byId("model").title = `${names}. mAP: mean average precision of the classes, from 0 to 1.`;
}

// Such as "mAP 0.83, VOC 2007 rule (11 points), IoU 0.5, on 72 images".
function quality({ words, images }) {
  return images ? `${words}, on ${images} ${images === 1 ? "image" : "images"}` : words;
}
