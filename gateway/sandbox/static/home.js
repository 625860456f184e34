// Shows what the stand-in knows: one citizen's chat and all cases. The server sends the whole picture at each change.
const $ = (id) => document.getElementById(id);
const WAYS = { passive: "即时回复", custom: "客服消息", template: "模板消息", fault: "平台提示", kf: "客服消息", greeting: "欢迎语" };
let seen = { people: [], phones: [], mailboxes: [], kf: [], cases: [], counts: {} };

const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (name) element.className = name;
  return element;
};

const post = (path, body) => fetch(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

const citizen = () => $("citizen").selectedOptions[0];
const me = () => seen.people.find((person) => person.openid === $("citizen").value);
const talk = () => seen.kf.find((each) => each.user === $("citizen").value);
const textWay = () => document.querySelector(".ways button[aria-pressed=true]")?.dataset.way ?? "wechat";

// What each way of writing shows, says below the chat, and sends.
const WAYS_OF_WRITING = {
  wechat: {
    lines: () => me()?.lines ?? [],
    note: () => me()?.left ? `公众号现在还可主动发 ${me().left} 条客服消息` : "公众号现在不能主动发消息，除非市民再说话",
    send: (text) => post("/_sim/say", { openid: $("citizen").value, text }),
  },
  kf: {
    lines: () => talk()?.lines ?? [],
    note: () => talk()?.left ? `微信客服现在还可发 ${talk().left} 条` : "微信客服现在不能主动发消息，除非市民再说话",
    send: (text) => post("/_sim/kf", { user: $("citizen").value, text }),
  },
  sms: {
    lines: () => seen.phones.find((phone) => phone.number === citizen().dataset.phone)?.lines ?? [],
    note: () => `本机号码 ${citizen().dataset.phone}，发到热线的短信号码`,
    send: (text) => post("/_sim/text", { phone: citizen().dataset.phone, text }),
  },
  mail: {
    lines: () => seen.mailboxes.find((box) => box.address === citizen().dataset.address)?.mails ?? [],
    note: () => `我的邮箱 ${citizen().dataset.address}；主题留空就是回复最近一封来信`,
    send: (text) => {
      const subject = $("subject").value.trim();
      $("subject").value = "";
      return post("/_sim/mail", { address: citizen().dataset.address, subject, text });
    },
  },
};

// What a line brings beside its words: a picture, a film, a recording, answers to tap.
const TAGS = { image: "img", video: "video", audio: "audio" };
function brought(line, way) {
  const tag = TAGS[line.mime?.split("/")[0]];
  const found = [];
  if (line.media && tag) {
    const shown = make(tag);
    shown.src = way === "kf" ? `/_media/kf/${line.media}` : `/_media/${line.media}`;
    shown.controls = true;
    if (tag === "img") shown.alt = "";
    found.push(shown);
  }
  for (const [, label] of line.choices ?? []) {
    const button = make("button", label);
    button.type = "button";
    button.addEventListener("click", () => WAYS_OF_WRITING[way].send(label));
    found.push(button);
  }
  return found;
}

function showChat() {
  if (!me()) return;
  const way = textWay();
  const { lines, note } = WAYS_OF_WRITING[way];
  const chat = $("chat");
  const key = `${way} ${$("citizen").value}`;
  const shown = chat.dataset.key === key ? chat.children.length : 0;
  if (!shown) chat.replaceChildren();
  chat.dataset.key = key;
  for (const line of lines().slice(shown)) {
    const item = make("li", "", line.who);
    if (line.subject) item.append(make("strong", line.subject));
    item.append(...brought(line, way), line.text);
    if (WAYS[line.way]) item.append(make("small", WAYS[line.way]));
    chat.append(item);
  }
  if (lines().length > shown) chat.scrollTop = chat.scrollHeight;
  $("follow").textContent = me().following ? "取消关注" : "关注";
  $("quota").textContent = note();
}

function choose(way) {
  for (const button of document.querySelectorAll(".ways button")) button.setAttribute("aria-pressed", button.dataset.way === way);
  for (const each of [...document.querySelectorAll(".menu"), $("follow")]) each.hidden = way !== "wechat";
  $("subject").hidden = way !== "mail";
  if (way === "kf" && !talk()?.lines.length) WAYS_OF_WRITING.kf.send("");
  $("text").rows = way === "mail" ? 4 : 1;
  showChat();
}

function caseItem(found) {
  const item = make("li");
  const row = make("div", "", "row");
  row.append(make("h3", found.title), make("span", found.stage_label, "stage"));
  const facts = make("dl");
  const told = [["单号", found.case_no], ["类型", found.kind_label], ["领域", found.field],
    ["承办", found.unit], ["应于", found.deadline_at]];
  for (const [name, value] of told) {
    if (!value) continue;
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    facts.append(pair);
  }
  const events = make("ol", "", "events");
  for (const event of found.events) events.append(make("li", `${event.at} ${event.actor} ${event.label}${event.note ? "：" + event.note : ""}`));
  item.append(row, facts, events);
  if ($("cases").dataset.advance && found.next) {
    const button = make("button", `推进一步：${found.next}`);
    button.type = "button";
    button.addEventListener("click", async () => {
      const answer = await post("/_sim/advance", { case_no: found.case_no });
      $("said").textContent = (await answer.json()).said;
    });
    item.append(button);
  }
  return item;
}

function showCases() {
  $("none").hidden = seen.cases.length > 0;
  $("count").textContent = seen.cases.length ? `${seen.cases.length} 件` : "";
  $("cases").replaceChildren(...seen.cases.map(caseItem));
}

$("citizen").addEventListener("change", showChat);
for (const button of document.querySelectorAll(".ways button")) {
  button.addEventListener("click", () => choose(button.dataset.way));
}
$("follow").addEventListener("click", () => post("/_sim/act", {
  openid: $("citizen").value, event: me()?.following ? "unsubscribe" : "subscribe",
}));
for (const button of document.querySelectorAll(".menu button[data-key]")) {
  button.addEventListener("click", () => post("/_sim/act", { openid: $("citizen").value, event: "CLICK", key: button.dataset.key }));
}
// What only WeChat carries: a file, where one is, a code on the wall.
const kindOf = (file) => /^(image|video)/.exec(file.type)?.[1] ?? "voice";
$("file").addEventListener("change", async () => {
  for (const file of $("file").files) {
    const query = new URLSearchParams({ openid: $("citizen").value, kind: kindOf(file) });
    await fetch(`/_sim/show?${query}`, { method: "POST", body: file, headers: { "Content-Type": file.type || "audio/amr" } });
  }
  $("file").value = "";
});
// Buttons of the menu bring an event and then what it speaks of.
let chosen = "";
for (const button of document.querySelectorAll(".menu button[data-event]")) {
  button.addEventListener("click", () => {
    chosen = button.dataset.event;
    if (chosen !== "location_select") return $("taken").click();
    return post("/_sim/menu/place", { openid: $("citizen").value, lon: 117.129, lat: 36.194, label: "泰山区东岳大街岱庙广场南门" });
  });
}
$("taken").addEventListener("change", async () => {
  for (const file of $("taken").files) {
    const query = new URLSearchParams({ openid: $("citizen").value, event: chosen || "pic_photo_or_album" });
    await fetch(`/_sim/menu/photos?${query}`, { method: "POST", body: file, headers: { "Content-Type": file.type } });
  }
  $("taken").value = "";
});
$("place").addEventListener("click", () => post("/_sim/stand", {
  openid: $("citizen").value, lon: 117.129, lat: 36.194, label: "泰山区东岳大街岱庙广场南门",
}));
$("scan").addEventListener("click", () => post("/_sim/scan", { openid: $("citizen").value, scene: "daimiao" }));
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  WAYS_OF_WRITING[textWay()].send(text);
});
$("text").addEventListener("keydown", (event) => {
  // Enter sends a short message; a letter has lines. Not while an input method composes.
  if (event.key !== "Enter" || event.isComposing || event.shiftKey || textWay() === "mail") return;
  event.preventDefault();
  $("say").requestSubmit();
});

new EventSource("/_sim/events").addEventListener("message", (event) => {
  const before = JSON.stringify(seen.cases);
  seen = JSON.parse(event.data);
  showChat();
  if (JSON.stringify(seen.cases) !== before) showCases();
});
