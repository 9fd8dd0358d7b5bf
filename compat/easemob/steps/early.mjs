// What the SDK of 2021 (3.x) can do: another way of making messages, rooms joined over REST, everything told by callbacks.
import { equal, eventually } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

/** Sends a text; the message's ID. */
async function say(client, fields) {
  const message = new client.sdk.message('txt', client.connection.getUniqueId());
  message.set(fields);
  if (fields.chatType === 'chatRoom') message.setGroup('groupchat');
  client.connection.send(message.body);
  return (await client.next('onReceivedMessage')).mid;
}

const text = (data) => (got) => got.data === data;

export const early = {
  async 'login by password, by token, and out'(w) {
    (await w.logged('alice')).close();
    (await w.client().open({ user: 'alice', accessToken: await w.backend.userToken('alice') })).close();
  },

  async 'a wrong password and a bad token are refused'(w) {
    for (const credentials of [{ pwd: 'wrong' }, { accessToken: 'nonsense' }]) {
      const one = w.client();
      one.ask({ user: 'alice', ...credentials });
      await one.next('onError');
      one.place.close();
    }
  },

  async 'text both ways, as the authenticated sender'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const ext = { s: 'text', i: 5, o: { x: [1] } };
    const id = await say(one, { to: 'bob', chatType: 'singleChat', msg: 'hi bob', ext });
    const got = await two.next('onTextMessage', text('hi bob'));
    equal([got.id, got.from, got.to, got.ext], [id, 'alice', 'bob', ext]);
    await say(two, { to: 'alice', chatType: 'singleChat', msg: 'hi alice', from: 'mallory' });
    equal((await one.next('onTextMessage', text('hi alice'))).from, 'bob');
    close(one, two);
  },

  async 'a room: join, text over REST, text of a member, leave'(w) {
    const room = await w.backend.room();
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    for (const client of [one, two]) await client.connection.joinChatRoom({ roomId: room });
    await one.next('onPresence', (event) => event.type === 'memberJoinChatRoomSuccess' && event.from === 'bob');
    const id = await w.backend.say(room, { body: { msg: 'hello room' } });
    equal((await one.next('onTextMessage', text('hello room'))).id, id);
    await two.next('onTextMessage', text('hello room'));
    await say(two, { to: room, chatType: 'chatRoom', roomType: true, msg: 'from bob' });
    equal((await one.next('onTextMessage', text('from bob'))).from, 'bob');
    await two.connection.quitChatRoom({ roomId: room });
    await one.next('onPresence', (event) => event.type === 'leaveChatRoom' && event.from === 'bob');
    close(one, two);
  },

  async 'what waited, in order, none twice'(w) {
    const sent = [];
    for (let i = 0; i < 60; i += 1) {
      const said = { from: 'alice', to: ['away'], type: 'txt', body: { msg: `${i}` } };
      sent.push((await w.backend.rest('POST', 'messages/users', said)).data.away);
    }
    const away = await w.logged('away');
    for (let i = 0; i < 60; i += 1) {
      const got = await away.next('onTextMessage');
      equal([got.id, got.data], [sent[i], `${i}`]);
    }
    await eventually(async () => (await w.backend.rest('GET', 'users/away/offline_msg_count')).data.away === 0);
    close(away);
  },

  async 'forced out by the backend'(w) {
    const one = await w.logged('victim');
    await w.backend.rest('GET', 'users/victim/disconnect');
    equal((await one.next('onError')).type, 217);
    close(one);
  },
};
