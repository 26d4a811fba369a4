// The panels on the right, of which one is shown.

import { drawCounts } from "./data_panel.js";
import { byId } from "./elements.js";
import { followTraining } from "./training.js";

const TABS = ["label", "review", "data", "train"];
let whenReview = () => {};

export function openTab(name) {
  for (const one of TABS) {
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    byId(`tab-${one}`).tabIndex = one === name ? 0 : -1;
    byId(`panel-${one}`).hidden = one !== name;
  }
  if (name === "review") whenReview();
  if (name === "data") drawCounts();
  if (name === "train") followTraining();
}

// `review` is called when the panel of the review is opened, which is another module's.
export function setUpTabs({ review }) {
  whenReview = review;
  byId("tabs").addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) openTab(tab.id.replace("tab-", ""));
  });
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const place = TABS.findIndex((one) => event.target.id === `tab-${one}`);
    const name = TABS[(place + step + TABS.length) % TABS.length];
    openTab(name);
    byId(`tab-${name}`).focus();
  });
}
