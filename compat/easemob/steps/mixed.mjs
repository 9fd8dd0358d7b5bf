// One room of everybody: clients of the SDK and of Stentor's own JSON protocol, and the backend.
import { equal, ok } from '../expect.mjs';
import { DEADLINE } from '../client.mjs';

/** A client of the JSON protocol (docs/gateway-chat.md). */
class JsonClient {
  constructor(place, { url, org, app }, user) {
    this.heard = [];
    this.replies = new Map();
    this.socket = new place.window.WebSocket(`${url.replace(/^http/, 'ws')}/ws/chat`);
    this.welcome = new Promise((resolve, reject) => {
      this.socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type === 'welcome') resolve(frame);
        if (frame.type === 'refused') reject(new Error(data));
        if (frame.type === 'reply') this.replies.get(frame.id)(frame);
        if (frame.type === 'chat_message') this.heard.push(frame);
      };
      this.socket.onerror = () => reject(new Error('no connection'));
    });
    this.socket.onopen = () => this.write({ type: 'login', version: 1, org, app_name: app, user, password: 'pw' });
  }

  write(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  async ask(fields) {
    const id = this.replies.size + 1;
    const reply = new Promise((resolve) => { this.replies.set(id, resolve); });
    this.write({ id, ...fields });
    const answer = await reply;
    ok(answer.ok, answer);
    return answer;
  }
}

const ROUNDS = 20;

/** A server that is busy drops what is less, above a number in a second: that is not what is looked at here. */
const LEVEL = 'high';

export const mixed = {
  async 'a mixed room has one order'(w) {
    const room = await w.backend.room();
    const [one, two, place] = [await w.logged('alice'), await w.logged('bob'), w.open()];
    const json = new JsonClient(place, w.backend, 'carol');
    await json.welcome;
    await one.connection.joinChatRoom({ roomId: room });
    await two.connection.joinChatRoom({ roomId: room });
    await json.ask({ type: 'join', room });
    const said = { alice: [], bob: [], carol: [], admin: [] };
    const rounds = Array.from({ length: ROUNDS }, (_, at) => at);
    // Each says one after the other, all of them at the same time.
    await Promise.all([
      (async () => { for (const at of rounds) said.alice.push((await one.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: `a${at}`, priority: LEVEL })).serverMsgId); })(),
      (async () => { for (const at of rounds) said.bob.push((await two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: `b${at}`, priority: LEVEL })).serverMsgId); })(),
      (async () => { for (const at of rounds) said.carol.push((await json.ask({ type: 'send', chat_type: 'chatroom', to: room, body_type: 'txt', body: { msg: `c${at}` }, level: LEVEL })).message_id); })(),
      (async () => { for (const at of rounds) said.admin.push(await w.backend.say(room, { body: { msg: `r${at}` }, chatroom_msg_level: LEVEL })); })(),
    ]);
    const last = await w.backend.say(room, { body: { msg: 'end' }, chatroom_msg_level: LEVEL });
    const all = Object.values(said).flat().concat(last).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    for (const [user, client] of [['alice', one], ['bob', two]]) {
      await client.next('onTextMessage', (got) => got.msg === 'end');
      const heard = client.all('onTextMessage').filter((got) => got.to === room).map((got) => got.id).concat(last);
      equal(heard, all.filter((id) => !said[user].includes(id)), `what ${user} heard`);
    }
    const end = Date.now() + DEADLINE;
    while (json.heard.at(-1)?.id !== last && Date.now() < end) await new Promise((resolve) => { setTimeout(resolve, 20); });
    equal(json.heard.map((got) => got.id), all.filter((id) => !said.carol.includes(id)), 'what carol heard');
    json.socket.close();
    place.close();
    one.close();
    two.close();
  },
};
