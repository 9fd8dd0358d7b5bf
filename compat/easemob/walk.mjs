// Walks one published SDK through a running Stentor:
//   STENTOR_URL=http://127.0.0.1:8480 STENTOR_ORG=… STENTOR_APP=… STENTOR_TOKEN=<an app token> node walk.mjs <build>
// Prints a line for each step, and ends with 0 if all of them went well.
import assert from 'node:assert/strict';
import { Client, page } from './sdk.mjs';

const { STENTOR_URL: url, STENTOR_ORG: org, STENTOR_APP: app, STENTOR_TOKEN: token } = process.env;
const build = process.argv[2];
const only = process.argv[3];
const appKey = `${org}#${app}`;
// Every build has users of its own, so that they can share a server.
const suffix = build.replace(/[^a-z0-9]/g, '');
const named = (name) => `${name}-${suffix}`;
const [alice, bob] = [named('alice'), named('bob')];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function rest(method, path, body, bearer = token) {
  const reply = await fetch(`${url}/${org}/${app}/${path}`, {
    method,
    headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  if (reply.status === 429) {
    await sleep(300);
    return rest(method, path, body, bearer);
  }
  assert.equal(reply.status, 200, `${method} ${path}: ${text}`);
  return JSON.parse(text);
}

const client = (options) => new Client(page(build, url), { url, appKey, options });
const logged = (user, options) => client(options).open({ user, pwd: 'pw' });

async function userToken(user) {
  return (await rest('POST', 'token', { grant_type: 'password', username: user, password: 'pw' })).access_token;
}

/** An object of a page, as one of this file. */
const plain = (value) => JSON.parse(JSON.stringify(value));

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it was not refused');
}

const steps = {
  async 'login by password, and out'() {
    const one = await logged(alice);
    assert.equal(one.connection.user, alice);
    one.close();
  },

  async 'login by token'() {
    const one = await client().open({ user: alice, accessToken: await userToken(alice) });
    one.close();
  },

  async 'a wrong password is refused'() {
    const one = client();
    const error = await refused(one.connection.open({ user: alice, pwd: 'wrong' }));
    assert.equal(error.type, 1, JSON.stringify(error));
    one.close();
  },

  async "a token that is nobody's, and one of another user, are refused"() {
    for (const accessToken of ['nonsense', await userToken(bob)]) {
      const one = client();
      const error = await refused(one.connection.open({ user: alice, accessToken }));
      assert.equal(error.type, 28, JSON.stringify(error));
      one.close();
    }
  },

  async 'text both ways, as the authenticated sender, with extensions'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    const ext = { s: 'text', i: 5, d: 2.5, t: true, f: false, o: { x: [1] }, n: -7 };
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'hi bob', ext });
    const got = await two.next('onTextMessage');
    assert.deepEqual([got.id, got.from, got.to, got.msg, got.chatType], [sent.serverMsgId, alice, bob, 'hi bob', 'singleChat']);
    assert.deepEqual(plain(got.ext), ext);
    const forged = two.message({ type: 'txt', chatType: 'singleChat', to: alice, msg: 'hi alice' });
    forged.from = 'mallory';
    const back = await two.connection.send(forged);
    const answer = await one.next('onTextMessage');
    assert.deepEqual([answer.id, answer.from, answer.msg], [back.serverMsgId, bob, 'hi alice']);
    one.close();
    two.close();
  },

  async 'every type, from SDK to SDK'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    const to = { chatType: 'singleChat', to: bob };
    const file = { url: `${url}/${org}/${app}/chatfiles/5f4dcc3b`, secret: 'shh', filename: 'a.bin', file_length: 12 };
    await one.send({ ...to, type: 'cmd', action: 'jump' });
    assert.equal((await two.next('onCmdMessage')).action, 'jump');
    await one.send({ ...to, type: 'custom', customEvent: 'gift', customExts: { n: '1' } });
    const custom = await two.next('onCustomMessage');
    assert.deepEqual([custom.customEvent, plain(custom.customExts)], ['gift', { n: '1' }]);
    await one.send({ ...to, type: 'loc', lat: 52.5, lng: 13.25, addr: 'Berlin', buildingName: 'tower' });
    const place = await two.next('onLocationMessage');
    assert.deepEqual([Number(place.lat), Number(place.lng), place.addr, place.buildingName], [52.5, 13.25, 'Berlin', 'tower']);
    for (const [type, event, more] of [
      ['img', 'onImageMessage', { width: 20, height: 10 }],
      ['audio', 'onAudioMessage', { length: 3 }],
      ['video', 'onVideoMessage', { length: 4 }],
      ['file', 'onFileMessage', {}],
    ]) {
      await one.send({ ...to, type, body: { ...file, ...more, type }, ...file, ...more });
      const got = await two.next(event);
      assert.ok(got.url.startsWith(file.url), `${type}: ${got.url}`);
      for (const [field, value] of Object.entries({ ...more, file_length: 12 })) {
        assert.equal(got[field], value, `${type}: ${field} in ${JSON.stringify(got)}`);
      }
    }
    one.close();
    two.close();
  },

  async 'every type, over REST'() {
    const two = await logged(bob);
    const file = { url: `${url}/${org}/${app}/chatfiles/5f4dcc3b`, secret: 'shh', filename: 'a.bin' };
    const link = (got, field = 'url') => got[field].split('?')[0];
    const cases = [
      ['txt', { msg: 'hi' }, 'onTextMessage', { msg: 'hi' }],
      ['img', { ...file, size: { width: 20, height: 10 } }, 'onImageMessage', { width: 20, height: 10, secret: 'shh' }],
      ['audio', { ...file, length: 3 }, 'onAudioMessage', { filename: 'a.bin', secret: 'shh', length: 3 }],
      ['video', { ...file, length: 4, thumb: `${file.url}/thumb`, thumb_secret: 't' }, 'onVideoMessage',
        { filename: 'a.bin', secret: 'shh', length: 4, thumb_secret: 't' }],
      ['file', file, 'onFileMessage', { filename: 'a.bin', secret: 'shh' }],
      ['loc', { lat: '52.5', lng: '13.25', addr: 'Berlin' }, 'onLocationMessage', { lat: 52.5, lng: 13.25, addr: 'Berlin' }],
      ['cmd', { action: 'jump' }, 'onCmdMessage', { action: 'jump' }],
      ['custom', { customEvent: 'gift', customExts: { n: '1' } }, 'onCustomMessage', { customEvent: 'gift', customExts: { n: '1' } }],
    ];
    for (const [type, body, event, expected] of cases) {
      const { data } = await rest('POST', 'messages/users', { from: alice, to: [bob], type, body, ext: { type } });
      const got = plain(await two.next(event));
      assert.deepEqual([got.id, got.from, got.to, got.ext], [data[bob], alice, bob, { type }]);
      for (const [field, value] of Object.entries(expected)) {
        assert.deepEqual(got[field], value, `${type}: ${field} in ${JSON.stringify(got)}`);
      }
      if (body.url) assert.equal(link(got), file.url, type);
      if (body.thumb) assert.equal(link(got, 'thumb'), body.thumb, type);
    }
    two.close();
  },

  async 'a room: join, text over REST, text of a member, level, leave'() {
    const room = (await rest('POST', 'chatrooms', { name: 'lobby', description: '-', owner: named('owner') })).data.id;
    const [one, two] = [await logged(alice), await logged(bob)];
    await one.connection.joinChatRoom({ roomId: room });
    await two.connection.joinChatRoom({ roomId: room });
    const came = await one.next('onChatroomEvent', (event) => event.operation === 'memberPresence');
    assert.deepEqual([came.id, came.from], [room, bob]);
    const said = { from: 'admin', to: [room], type: 'txt', body: { msg: 'hello room' }, ext: { k: 1 }, chatroom_msg_level: 'high' };
    const { data } = await rest('POST', 'messages/chatrooms', said);
    const got = await one.next('onTextMessage');
    assert.deepEqual([got.id, got.from, got.to, got.msg, got.chatType, got.priority], [data[room], 'admin', room, 'hello room', 'chatRoom', 'high']);
    assert.deepEqual(plain(got.ext), { k: 1 });
    await two.next('onTextMessage');
    const sent = await two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'from bob', priority: 'low' });
    const heard = await one.next('onTextMessage');
    assert.deepEqual([heard.id, heard.from, heard.msg, heard.priority], [sent.serverMsgId, bob, 'from bob', 'low']);
    await two.connection.leaveChatRoom({ roomId: room });
    const left = await one.next('onChatroomEvent', (event) => event.operation === 'memberAbsence');
    assert.equal(left.from, bob);
    const error = await refused(two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'still here?' }));
    assert.equal(error.type, 602, JSON.stringify(error));
    assert.equal((await refused(two.connection.joinChatRoom({ roomId: '1' }))).type, 705);
    assert.deepEqual(two.all('onTextMessage'), [], 'nobody hears himself');
    one.close();
    two.close();
  },

  async 'offline messages, in order, none twice, and acked'() {
    const count = 200;
    const one = await logged(alice);
    const sent = [];
    for (let i = 0; i < count; i += 1) {
      const said = { from: alice, to: [named('away')], type: 'txt', body: { msg: `${i}` } };
      sent.push((await rest('POST', 'messages/users', said)).data[named('away')]);
    }
    const device = { deviceId: 'fixed', isFixedDeviceId: true };
    const away = await logged(named('away'), device);
    await away.next('onOfflineMessageSyncStart');
    for (let i = 0; i < count; i += 1) {
      const got = await away.next('onTextMessage');
      assert.deepEqual([got.id, got.msg], [sent[i], `${i}`]);
    }
    await away.next('onOfflineMessageSyncFinish');
    // Whoever has got everything, on whatever device, has nothing waiting.
    await eventually(async () => (await rest('GET', `users/${named('away')}/offline_msg_count`)).data[named('away')] === 0);
    away.close();
    const again = await logged(named('away'), device);
    await one.send({ type: 'txt', chatType: 'singleChat', to: named('away'), msg: 'last' });
    assert.equal((await again.next('onTextMessage')).msg, 'last');
    one.close();
    again.close();
  },

  async 'read and delivered'() {
    const [one, two] = [await logged(alice), await logged(bob, { delivery: true })];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'read me' });
    const got = await two.next('onTextMessage');
    assert.equal((await one.next('onDeliveredMessage')).mid, sent.serverMsgId);
    await two.send({ type: 'read', chatType: 'singleChat', id: got.id, to: alice });
    const read = await one.next('onReadMessage');
    assert.deepEqual([read.mid, read.from], [sent.serverMsgId, bob]);
    await two.send({ type: 'channel', chatType: 'singleChat', to: alice });
    assert.equal((await one.next('onChannelMessage')).from, bob);
    one.close();
    two.close();
  },

  async 'recall'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'oops' });
    await two.next('onTextMessage');
    await one.connection.recallMessage({ mid: sent.serverMsgId, to: bob, chatType: 'singleChat' });
    const recalled = await two.next('onRecallMessage');
    assert.deepEqual([recalled.mid, recalled.from], [sent.serverMsgId, alice]);
    one.close();
    two.close();
  },

  async 'edit'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'helo' });
    await two.next('onTextMessage');
    const modifiedMessage = one.message({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'hello' });
    await one.connection.modifyMessage({ messageId: sent.serverMsgId, modifiedMessage });
    const edited = await two.next('onModifiedMessage');
    assert.deepEqual([edited.id, edited.msg, edited.from, edited.modifiedInfo.operatorId], [sent.serverMsgId, 'hello', alice, alice]);
    one.close();
    two.close();
  },

  async 'a group: message, receipt, and its end'() {
    const group = { groupname: 'g', description: '-', public: true, owner: alice, members: [bob] };
    const id = (await rest('POST', 'chatgroups', group)).data.groupid;
    const [one, two] = [await logged(alice), await logged(bob)];
    const sent = await one.send({ type: 'txt', chatType: 'groupChat', to: id, msg: 'all', msgConfig: { allowGroupAck: true } });
    const got = await two.next('onTextMessage');
    assert.deepEqual([got.id, got.from, got.to, got.chatType], [sent.serverMsgId, alice, id, 'groupChat']);
    await two.send({ type: 'read', chatType: 'groupChat', id: got.id, to: id, ackContent: '{}' });
    assert.equal((await one.next('onReadMessage')).mid, sent.serverMsgId);
    await rest('DELETE', `chatgroups/${id}`);
    await two.next('onGroupEvent', (event) => event.operation === 'destroy' && event.id === id);
    one.close();
    two.close();
  },

  async 'two devices of a user: copies of what is sent'() {
    const [one, phone, two] = [await logged(alice), await logged(alice), await logged(bob)];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'from one' });
    const copy = await phone.next('onTextMessage');
    assert.deepEqual([copy.id, copy.from, copy.to], [sent.serverMsgId, alice, bob]);
    await two.send({ type: 'txt', chatType: 'singleChat', to: alice, msg: 'to both' });
    await one.next('onTextMessage', (got) => got.msg === 'to both');
    await phone.next('onTextMessage', (got) => got.msg === 'to both');
    for (const open of [one, phone, two]) open.close();
  },

  async 'presence'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    await one.connection.subscribePresence({ usernames: [bob], expiry: 3600 });
    await two.connection.publishPresence({ description: 'busy' });
    const statuses = await one.next('onPresenceStatusChange', (told) => plain(told).some((status) => status.ext === 'busy'));
    assert.equal(plain(statuses)[0].userId, bob);
    one.close();
    two.close();
  },

  async 'history of a conversation'() {
    const [one, two] = [await logged(alice), await logged(bob)];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'remember' });
    await two.next('onTextMessage', (got) => got.id === sent.serverMsgId);
    const page = await one.connection.getHistoryMessages({ targetId: bob, chatType: 'singleChat', pageSize: 10 });
    const found = plain(page.messages).find((message) => message.id === sent.serverMsgId);
    assert.deepEqual([found?.msg, found?.from], ['remember', alice]);
    one.close();
    two.close();
  },

  async 'forced out: by the backend, by another password'() {
    const victim = named('victim');
    const one = await logged(victim);
    await rest('GET', `users/${victim}/disconnect`);
    assert.equal((await one.next('onError')).type, 217);
    const two = await logged(victim);
    await rest('PUT', `users/${victim}/password`, { newpassword: 'pw' });
    assert.equal((await two.next('onError')).type, 216);
    one.close();
    two.close();
  },

  async 'a cut connection comes back, and nothing is lost or doubled'() {
    const room = (await rest('POST', 'chatrooms', { name: 'lobby', description: '-', owner: named('owner') })).data.id;
    const [one, two] = [await logged(alice), await logged(bob)];
    const say = async (msg) => {
      await rest('POST', 'messages/chatrooms', { from: 'admin', to: [room], type: 'txt', body: { msg } });
      await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg });
    };
    await two.connection.joinChatRoom({ roomId: room });
    await say('before');
    await two.next('onTextMessage', (got) => got.msg === 'before' && got.chatType === 'chatRoom');
    await two.next('onTextMessage', (got) => got.msg === 'before' && got.chatType === 'singleChat');
    two.connection.sock.close();
    await say('meanwhile');
    await two.next('onReconnecting');
    await two.next('onConnected');
    await say('after');
    for (const chatType of ['chatRoom', 'singleChat']) {
      await two.next('onTextMessage', (got) => got.msg === 'after' && got.chatType === chatType);
    }
    const others = two.all('onTextMessage').map((got) => `${got.msg} ${got.chatType}`);
    assert.deepEqual(others.sort(), ['meanwhile chatRoom', 'meanwhile singleChat']);
    one.close();
    two.close();
  },
};

async function eventually(holds) {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, 'it does not become so');
    await sleep(50);
  }
}

async function main() {
  for (const user of [alice, bob, named('away'), named('owner'), named('victim')]) {
    await rest('POST', 'users', { username: user, password: 'pw' });
  }
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    if (only && !name.includes(only)) continue;
    try {
      await step();
      console.log(`ok ${build}: ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${build}: ${name}\n${error.stack ?? JSON.stringify(error)}`);
    }
  }
  // Pages of jsdom leave timers behind.
  process.exit(failed === 0 ? 0 : 1);
}

// What an SDK drops on the floor is not a failure of the walk: each step waits for what it wants.
process.on('unhandledRejection', () => {});
await main();
