// Messages that waited, and those of the past.
import { NOT_HERE, equal, eventually, plain } from '../expect.mjs';

const COUNT = 200;

export const past = {
  async 'offline messages, in order, none twice, and acked'(w) {
    const sent = [];
    for (let i = 0; i < COUNT; i += 1) {
      const said = { from: 'alice', to: ['away'], type: 'txt', body: { msg: `${i}` } };
      sent.push((await w.backend.rest('POST', 'messages/users', said)).data.away);
    }
    const device = { deviceId: 'fixed', isFixedDeviceId: true };
    const away = await w.logged('away', device);
    for (let i = 0; i < COUNT; i += 1) {
      const got = await away.next('onTextMessage');
      equal([got.id, got.msg], [sent[i], `${i}`]);
    }
    if (!w.old) {
      await away.next('onOfflineMessageSyncStart');
      await away.next('onOfflineMessageSyncFinish');
    }
    // Whoever has got everything, on whatever device, has nothing waiting.
    await eventually(async () => (await w.backend.rest('GET', 'users/away/offline_msg_count')).data.away === 0);
    away.close();
    const again = await w.logged('away', device);
    const one = await w.logged('alice');
    await one.send({ type: 'txt', chatType: 'singleChat', to: 'away', msg: 'last' });
    equal((await again.next('onTextMessage')).msg, 'last');
    one.close();
    again.close();
  },

  async 'the history of a conversation, page by page'(w) {
    if (!w.has('getHistoryMessages')) return NOT_HERE;
    const [one, two] = [await w.logged('alice'), await w.logged('carol')];
    const sent = [];
    for (let i = 0; i < 25; i += 1) {
      const [client, to] = i % 2 ? [one, 'carol'] : [two, 'alice'];
      sent.unshift((await client.send({ type: 'txt', chatType: 'singleChat', to, msg: `h${i}` })).serverMsgId);
    }
    const found = [];
    let cursor = -1;
    for (const expected of [10, 10, 5]) {
      const page = await one.connection.getHistoryMessages({ targetId: 'carol', chatType: 'singleChat', pageSize: 10, cursor, searchDirection: 'up' });
      equal(page.messages.length, expected, page);
      equal(page.isLast, expected < 10, page);
      found.push(...plain(page.messages).map((message) => message.id));
      cursor = page.cursor;
    }
    equal(found, sent);
    one.close();
    two.close();
  },
};
