// What becomes of a connection.
import { NOT_HERE, equal, ok, sleep } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

/** A server that is busy drops what is less, above a number in a second: that is not what is looked at here. */
const HIGH = { chatroom_msg_level: 'high' };

export const connection = {
  async 'a cut connection comes back, and nothing is lost or doubled'(w) {
    const room = await w.backend.room();
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const say = async (msg) => {
      await w.backend.say(room, { body: { msg } });
      await one.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg });
    };
    await two.connection.joinChatRoom({ roomId: room });
    await say('before');
    await two.next('onTextMessage', (got) => got.msg === 'before' && got.chatType === 'chatRoom');
    await two.next('onTextMessage', (got) => got.msg === 'before' && got.chatType === 'singleChat');
    two.all('onTextMessage');
    two.connection.sock.close();
    await say('meanwhile');
    if (w.has('addEventHandler')) await two.next('onReconnecting');
    await two.next('onConnected');
    await say('after');
    for (const chatType of ['chatRoom', 'singleChat']) {
      await two.next('onTextMessage', (got) => got.msg === 'after' && got.chatType === chatType);
    }
    const others = two.all('onTextMessage').map((got) => `${got.msg} ${got.chatType}`);
    equal(others.sort(), ['meanwhile chatRoom', 'meanwhile singleChat']);
    close(one, two);
  },

  async 'a connection that is dead without the server knowing comes back, and nothing is lost or doubled'(w) {
    // Browsers are where no proxy of ours is.
    if (!w.proxy) return NOT_HERE;
    const proxy = await w.proxy();
    const room = await w.backend.room();
    const [one, two] = [await w.logged('alice'), await w.logged('bob', {}, proxy.url)];
    const say = async (msg) => {
      await w.backend.say(room, { body: { msg }, ...HIGH });
      await one.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg });
    };
    await two.connection.joinChatRoom({ roomId: room });
    await say('before');
    for (const chatType of ['chatRoom', 'singleChat']) {
      await two.next('onTextMessage', (got) => got.msg === 'before' && got.chatType === chatType);
    }
    two.all('onTextMessage');
    two.all('onConnected');
    proxy.hold();
    await say('on the wire');
    const many = Array.from({ length: 60 }, (_, number) => `${number}`);
    for (const msg of many) await w.backend.say(room, { body: { msg }, ...HIGH });
    proxy.drop();
    await say('meanwhile');
    await two.next('onConnected');
    await say('after');
    for (const chatType of ['chatRoom', 'singleChat']) {
      await two.next('onTextMessage', (got) => got.msg === 'after' && got.chatType === chatType);
    }
    const others = two.all('onTextMessage');
    const inRoom = others.filter((got) => got.chatType === 'chatRoom').map((got) => got.msg);
    equal(inRoom, ['on the wire', ...many, 'meanwhile']);
    equal(others.filter((got) => got.chatType === 'singleChat').map((got) => got.msg), ['on the wire', 'meanwhile']);
    equal(one.all('onDisconnected'), []);
    close(one, two);
    proxy.close();
  },

  async 'what is said while the connection is cut is said once it is back, and once'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const say = (msg) => two.send({ type: 'txt', chatType: 'singleChat', to: 'alice', msg });
    // The one is on its way when the connection goes, and is refused by the SDK or sent again; the other waits for the connection.
    const first = say('on its way').catch(() => undefined);
    two.connection.sock.close();
    const second = say('waiting').catch(() => undefined);
    await two.next('onConnected');
    const [a, b] = [await first, await second];
    const third = await say('after');
    const last = await one.next('onTextMessage', (got) => got.msg === 'after');
    equal(last.id, third.serverMsgId);
    const heard = one.all('onTextMessage');
    const texts = heard.map((got) => got.msg);
    ok(new Set(texts).size === texts.length, `none twice: ${texts}`);
    for (const [msg, sent] of [['on its way', a], ['waiting', b]]) {
      if (sent) equal(heard.find((got) => got.msg === msg)?.id, sent.serverMsgId, `${msg}: ${texts}`);
    }
    close(one, two);
  },

  async 'who logs out leaves its rooms at once'(w) {
    // jsdom forgets what was said right before a close; browsers do not.
    if (!w.has('sendLogout') || !w.browser) return NOT_HERE;
    const room = await w.backend.room();
    const [one, two] = [await w.logged('alice'), await w.logged('quiet')];
    await one.connection.joinChatRoom({ roomId: room });
    await two.connection.joinChatRoom({ roomId: room });
    two.connection.close();
    equal((await one.next('onChatroomEvent', (event) => event.operation === 'memberAbsence')).from, 'quiet');
    close(one, two);
  },
};

/** How long nobody says anything: longer than the SDK takes to say that it is there, after which it has to be answered. */
const SILENCE_MS = 62_000;
/** For so long a login may have something to say. */
const LOGIN_MS = 15_000;

/** Runs beside everything else. */
export const silence = {
  async 'a minute of silence'(w) {
    const one = await w.logged('quiet');
    const { prototype } = one.place.window.WebSocket;
    const send = prototype.send;
    const [from, beats] = [Date.now(), []];
    prototype.send = function sent(...data) {
      if (this === (one.connection.sock?._transport?.ws ?? one.connection.sock)) beats.push(Date.now() - from);
      return send.apply(this, data);
    };
    await sleep(SILENCE_MS);
    prototype.send = send;
    // One every half a minute, behind what the login has to say; with each it may say a few things at once.
    const late = beats.filter((at) => at > LOGIN_MS);
    const rounds = late.filter((at, index) => index === 0 || at - late[index - 1] > 5000);
    ok(rounds.length >= 1 && rounds.length <= 2, `heartbeats at ${beats}`);
    await w.backend.rest('POST', 'messages/users', { from: 'bob', to: ['quiet'], type: 'txt', body: { msg: 'are you there?' } });
    await one.next('onTextMessage', (got) => got.msg === 'are you there?');
    equal([one.all('onReconnecting'), one.all('onDisconnected'), one.all('onError')], [[], [], []]);
    one.close();
  },
};
