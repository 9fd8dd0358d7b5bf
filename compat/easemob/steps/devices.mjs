// Several devices of a user.
import { equal } from '../expect.mjs';

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
    if (w.old || !w.has('deleteConversation')) return;
    const [one, phone] = [await w.logged('alice'), await w.logged('alice')];
    await one.connection.deleteConversation({ channel: 'bob', chatType: 'singleChat', deleteRoam: true });
    const told = await phone.next('onMultiDeviceEvent', (event) => event.operation === 'deleteConversation');
    equal([told.conversationId, told.conversationType], ['bob', 'singleChat'], told);
    equal(one.all('onMultiDeviceEvent'), []);
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
