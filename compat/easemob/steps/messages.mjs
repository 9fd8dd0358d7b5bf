// Messages from one user to another, and what becomes of them.
import { NOT_HERE, equal, ok, plain } from '../expect.mjs';

const to = { chatType: 'singleChat', to: 'bob' };
const pair = async (w, options) => [await w.logged('alice'), await w.logged('bob', options)];
const close = (...clients) => clients.forEach((client) => client.close());

export const messages = {
  async 'text both ways, as the authenticated sender, with extensions'(w) {
    const [one, two] = await pair(w);
    const ext = { s: 'text', i: 5, d: 2.5, t: true, f: false, o: { x: [1] }, n: -7 };
    const sent = await one.send({ ...to, type: 'txt', msg: 'hi bob', ext });
    const got = await two.next('onTextMessage', (text) => text.msg === 'hi bob');
    equal([got.id, got.from, got.to, got.msg, got.chatType], [sent.serverMsgId, 'alice', 'bob', 'hi bob', 'singleChat']);
    equal(got.ext, ext);
    const forged = two.message({ type: 'txt', chatType: 'singleChat', to: 'alice', msg: 'hi alice' });
    forged.from = 'mallory';
    const back = await two.connection.send(forged);
    const answer = await one.next('onTextMessage', (text) => text.msg === 'hi alice');
    equal([answer.id, answer.from], [back.serverMsgId, 'bob']);
    close(one, two);
  },

  async 'every type, from SDK to SDK'(w) {
    const [one, two] = await pair(w);
    const file = { url: w.backend.of('chatfiles/5f4dcc3b'), secret: 'shh', filename: 'a.bin', file_length: 12 };
    await one.send({ ...to, type: 'cmd', action: 'jump' });
    equal((await two.next('onCmdMessage')).action, 'jump');
    await one.send({ ...to, type: 'custom', customEvent: 'gift', customExts: { n: '1' } });
    const custom = await two.next('onCustomMessage');
    equal([custom.customEvent, custom.customExts], ['gift', { n: '1' }]);
    await one.send({ ...to, type: 'loc', lat: 52.5, lng: 13.25, addr: 'Berlin', buildingName: 'tower' });
    const place = await two.next('onLocationMessage');
    equal([Number(place.lat), Number(place.lng), place.addr, place.buildingName], [52.5, 13.25, 'Berlin', 'tower']);
    for (const [type, event, more] of [
      ['img', 'onImageMessage', { width: 20, height: 10 }],
      ['audio', 'onAudioMessage', { length: 3 }],
      ['video', 'onVideoMessage', { length: 4 }],
      ['file', 'onFileMessage', {}],
    ]) {
      await one.send({ ...to, type, body: { ...file, ...more, type }, ...file, ...more });
      const got = await two.next(event);
      ok(got.url.startsWith(file.url), `${type}: ${got.url}`);
      for (const [field, value] of Object.entries({ ...more, file_length: 12 })) {
        equal(got[field], value, `${type}: ${field} in ${JSON.stringify(got)}`);
      }
    }
    close(one, two);
  },

  async 'every type, over REST'(w) {
    const two = await w.logged('bob');
    const file = { url: w.backend.of('chatfiles/5f4dcc3b'), secret: 'shh', filename: 'a.bin' };
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
      const { data } = await w.backend.rest('POST', 'messages/users', { from: 'alice', to: ['bob'], type, body, ext: { type } });
      const got = plain(await two.next(event, (told) => told.ext?.type === type));
      equal([got.id, got.from, got.to], [data.bob, 'alice', 'bob']);
      for (const [field, value] of Object.entries(expected)) {
        equal(got[field], value, `${type}: ${field} in ${JSON.stringify(got)}`);
      }
      if (body.url) equal(link(got), file.url, type);
      if (body.thumb) equal(link(got, 'thumb'), body.thumb, type);
    }
    close(two);
  },

  async 'read and delivered'(w) {
    const [one, two] = await pair(w, { delivery: true });
    const sent = await one.send({ ...to, type: 'txt', msg: 'read me' });
    const got = await two.next('onTextMessage', (text) => text.msg === 'read me');
    await one.next('onDeliveredMessage', (told) => told.mid === sent.serverMsgId);
    await two.send({ type: 'read', chatType: 'singleChat', id: got.id, to: 'alice' });
    equal((await one.next('onReadMessage', (told) => told.mid === sent.serverMsgId)).from, 'bob');
    await two.send({ type: 'channel', chatType: 'singleChat', to: 'alice' });
    equal((await one.next('onChannelMessage')).from, 'bob');
    close(one, two);
  },

  async recall(w) {
    const [one, two] = await pair(w);
    const sent = await one.send({ ...to, type: 'txt', msg: 'oops' });
    await two.next('onTextMessage', (text) => text.id === sent.serverMsgId);
    await one.connection.recallMessage({ mid: sent.serverMsgId, to: 'bob', chatType: 'singleChat', type: 'chat' });
    equal((await two.next('onRecallMessage', (told) => told.mid === sent.serverMsgId)).from, 'alice');
    close(one, two);
  },

  async edit(w) {
    if (!w.has('modifyMessage')) return NOT_HERE;
    const [one, two] = await pair(w);
    const sent = await one.send({ ...to, type: 'txt', msg: 'helo' });
    await two.next('onTextMessage', (text) => text.id === sent.serverMsgId);
    const modifiedMessage = one.message({ ...to, type: 'txt', msg: 'hello' });
    await one.connection.modifyMessage({ messageId: sent.serverMsgId, modifiedMessage });
    const edited = await two.next('onModifiedMessage');
    equal([edited.id, edited.msg, edited.from, edited.modifiedInfo.operatorId], [sent.serverMsgId, 'hello', 'alice', 'alice']);
    close(one, two);
  },

  async 'a combined message, with what was combined'(w) {
    if (!w.has('downloadAndParseCombineMessage')) return NOT_HERE;
    const [one, two] = await pair(w);
    const list = [];
    for (const msg of ['one', 'two']) {
      const said = one.message({ ...to, type: 'txt', msg });
      const sent = await one.connection.send(said);
      list.push({ ...said, ...sent.message, id: sent.serverMsgId, from: 'alice', to: 'bob', time: Date.now(), chatType: 'singleChat', type: 'txt', msg });
    }
    await one.send({ ...to, type: 'combine', compatibleText: 'update!', title: 'history', summary: 'one, two', messageList: one.own(list) });
    const got = await two.next('onCombineMessage');
    equal([got.compatibleText, got.title, got.summary, got.combineLevel], ['update!', 'history', 'one, two', 1], got);
    const parsed = await two.connection.downloadAndParseCombineMessage({ url: got.url, secret: got.secret });
    equal(plain(parsed).map((message) => [message.msg, message.from]), [['one', 'alice'], ['two', 'alice']], parsed);
    close(one, two);
  },
};
