// Several devices of a user.
import { NOT_HERE, equal } from '../expect.mjs';

const device = (deviceId) => ({ deviceId, isFixedDeviceId: true });
const text = (msg) => (got) => got.msg === msg;
const close = (...clients) => clients.forEach((client) => client.close());

export const devices = {
  async 'two devices of a user: copies of what is sent'(w) {
    const [one, phone, two] = [await w.logged('alice'), await w.logged('alice'), await w.logged('bob')];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg: 'from one' });
    const copy = await phone.next('onTextMessage', text('from one'));
    equal([copy.id, copy.from, copy.to], [sent.serverMsgId, 'alice', 'bob']);
    await two.send({ type: 'txt', chatType: 'singleChat', to: 'alice', msg: 'to both' });
    await one.next('onTextMessage', text('to both'));
    await phone.next('onTextMessage', text('to both'));
    close(one, phone, two);
  },

  async 'two devices of a user: each has its own place in what was said'(w) {
    const say = (msg) => w.backend.rest('POST', 'messages/users', { from: 'bob', to: ['dave'], type: 'txt', body: { msg } });
    const [laptop, phone] = [await w.logged('dave', device('laptop')), await w.logged('dave', device('phone'))];
    phone.close();
    await say('while the phone is away');
    await laptop.next('onTextMessage', text('while the phone is away'));
    const back = await w.logged('dave', device('phone'));
    await back.next('onTextMessage', text('while the phone is away'));
    // A new device begins with what no device has.
    const tablet = await w.logged('dave', device('tablet'));
    await say('to all three');
    for (const client of [laptop, back, tablet]) await client.next('onTextMessage', text('to all three'));
    equal([laptop, back, tablet].map((client) => client.all('onTextMessage')), [[], [], []]);
    close(laptop, back, tablet);
  },

  async 'two devices of a user: one deletes a conversation, the other is told'(w) {
    if (w.old || !w.has('deleteConversation')) return NOT_HERE;
    const [one, phone] = [await w.logged('alice'), await w.logged('alice')];
    await one.connection.deleteConversation({ channel: 'bob', chatType: 'singleChat', deleteRoam: true });
    const told = await phone.next('onMultiDeviceEvent', (event) => event.operation === 'deleteConversation');
    equal([told.conversationId, told.conversationType], ['bob', 'singleChat'], told);
    equal(one.all('onMultiDeviceEvent'), []);
    close(one, phone);
  },

  async 'two devices of a user: a note to oneself'(w) {
    const [one, phone] = [await w.logged('alice'), await w.logged('alice')];
    const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: 'alice', msg: 'buy milk' });
    const got = await phone.next('onTextMessage', text('buy milk'));
    equal([got.id, got.from, got.to], [sent.serverMsgId, 'alice', 'alice']);
    const said = { from: 'alice', to: ['alice'], type: 'txt', body: { msg: 'over REST' } };
    await w.backend.rest('POST', 'messages/users', said);
    for (const client of [one, phone]) await client.next('onTextMessage', text('over REST'));
    equal([one.all('onTextMessage'), phone.all('onTextMessage')], [[], []], 'none twice');
    close(one, phone);
  },

  async 'two devices of a user: push settings'(w) {
    if (!w.has('setSilentModeForAll')) return NOT_HERE;
    const [one, phone] = [await w.logged('carol'), await w.logged('carol')];
    const told = (operation) => phone.next('onMultiDeviceEvent', (event) => event.operation === operation);
    // 4.8.1 knows no such event.
    const knows = w.build !== 'easemob-websdk-4.8.1';
    await one.connection.setSilentModeForConversation({ conversationId: 'bob', type: 'singleChat', options: one.own({ paramType: 0, remindType: 'NONE' }) });
    if (knows) {
      const event = await told('setSilentModeForConversation');
      equal([event.conversationId, event.type, event.data.type, event.resource], ['bob', 'singleChat', 'NONE', one.connection.clientResource], event);
    }
    await one.connection.clearRemindTypeForConversation({ conversationId: 'bob', type: 'singleChat' });
    if (knows) equal((await told('removeSilentModeForConversation')).conversationId, 'bob');
    await one.connection.setSilentModeForAll({ options: one.own({ paramType: 2, startTime: { hours: 8, minutes: 5 }, endTime: { hours: 10, minutes: 30 } }) });
    if (knows) equal((await told('setSilentModeForUser')).data.ignoreInterval, '08:05-10:30');
    equal(one.all('onMultiDeviceEvent'), [], 'who did it knows');
    close(one, phone);
  },

  async 'forced out: by the backend, one device, by another password'(w) {
    const one = await w.logged('victim');
    await w.backend.rest('GET', 'users/victim/disconnect');
    equal((await one.next('onError')).type, 217);
    const [two, other] = [await w.logged('victim', device('two')), await w.logged('victim', device('other'))];
    const resources = (await w.backend.rest('GET', 'users/victim/resources')).data.map((found) => found.res);
    const res = resources.find((found) => found.includes('other'));
    await w.backend.rest('DELETE', `users/victim/disconnect/${res}`);
    equal((await other.next('onError')).type, 217);
    await w.backend.rest('POST', 'messages/users', { from: 'bob', to: ['victim'], type: 'txt', body: { msg: 'still there?' } });
    await two.next('onTextMessage', text('still there?'));
    equal(two.all('onError'), []);
    await w.backend.rest('PUT', 'users/victim/password', { newpassword: 'pw' });
    equal((await two.next('onError')).type, 216);
    close(one, two, other);
  },

  async 'the same device again takes the place of the one before'(w) {
    const before = await w.logged('victim', device('same'));
    const after = w.client(device('same'));
    // What it says of itself, for the one whose place it takes.
    if (w.has('setLoginInfoCustomExt')) after.connection.setLoginInfoCustomExt('Victim’s other tab');
    await after.open({ user: 'victim', pwd: 'pw' });
    const out = await before.next('onError');
    equal([out.type, out.data?.loginInfoCustomExt], [206, w.has('setLoginInfoCustomExt') ? 'Victim’s other tab' : undefined], out);
    await after.send({ type: 'txt', chatType: 'singleChat', to: 'bob', msg: 'I am the one' });
    close(before, after);
  },
};
