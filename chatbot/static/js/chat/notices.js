// Notices: slips across the log, never pop-ups. What a person may do about one stands on it as a button.
import { link, phoneLink, textLink, webLink } from "./help.js";
import { button, h, icon } from "./text.js";

const ICONS = {
  disclosure: "hug", break: "cup", limit: "clock", quiet_hours: "moon", memory: "book", safety_tip: "eye", guardian: "person", no_other: "again", error: "flag",
};

function action({ kind, label, value }, act) {
  if (kind === "ack" || kind === "undo") {
    return button(label, { kind: kind === "ack" ? "btn-main" : "", on: { click: () => act(kind, value) } });
  }
  const href = { call: phoneLink, text: textLink, web: webLink }[kind]?.(value) ?? null;
  const name = { call: "phone", text: "text", web: "web" }[kind];
  return href && link(label, { name, href });
}

/** A slip. act(kind, value) is called for ack and undo. */
export function slip({ kind, title, body, actions = [] }, act = () => {}) {
  const buttons = actions.map((one) => action(one, act)).filter(Boolean);
  return h("section", { class: `slip slip-${kind}`, data: { notice: kind } },
    icon(ICONS[kind] ?? "eye"),
    h("div", {}, title && h("h2", {}, title), body && h("p", {}, body), buttons.length > 0 && h("div", { class: "row" }, buttons)));
}
