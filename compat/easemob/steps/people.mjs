// Presence, contacts, push settings.
import { NOT_HERE, equal, eventually, plain, sleep } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

export const people = {
  async presence(w) {
    if (!w.has('subscribePresence')) return NOT_HERE;
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    await one.connection.subscribePresence({ usernames: ['bob'], expiry: 3600 });
    await two.connection.publishPresence({ description: 'busy' });
    const statuses = await one.next('onPresenceStatusChange', (told) => plain(told).some((status) => status.ext === 'busy'));
    equal(plain(statuses)[0].userId, 'bob');
    const { total } = plain((await one.connection.getSubscribedPresenceList({ pageNum: 1, pageSize: 10 })).result ?? {});
    if (total !== undefined) equal(total, 1);
    await one.connection.unsubscribePresence({ usernames: ['bob'] });
    close(one, two);
  },

  async 'presence: a subscription ends'(w) {
    if (!w.has('subscribePresence')) return NOT_HERE;
    const [one, two, three] = [await w.logged('alice'), await w.logged('bob'), await w.logged('carol')];
    await one.connection.subscribePresence({ usernames: ['carol'], expiry: 1 });
    await one.connection.subscribePresence({ usernames: ['bob'], expiry: 3600 });
    await sleep(1500);
    await three.connection.publishPresence({ description: 'unheard' });
    await two.connection.publishPresence({ description: 'heard' });
    const says = (told, ext) => plain(told).some((status) => status.ext === ext);
    await one.next('onPresenceStatusChange', (told) => says(told, 'heard'));
    equal(one.all('onPresenceStatusChange').filter((told) => says(told, 'unheard')), []);
    await one.connection.unsubscribePresence({ usernames: ['bob'] });
    close(one, two, three);
  },

  async 'contacts: asked, declined, accepted, removed'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const contacts = async (client) => plain((await client.connection.getContacts()).data).map((contact) => contact.name ?? contact);
    await one.connection.addContact('bob', 'hello');
    const invited = await two.next('onContactInvited');
    equal([invited.from, invited.status], ['alice', 'hello'], invited);
    await two.connection.declineContactInvite('alice');
    equal((await one.next('onContactRefuse')).from, 'bob');
    await one.connection.addContact('bob', 'please');
    await two.next('onContactInvited');
    await two.connection.acceptContactInvite('alice');
    equal((await one.next('onContactAgreed')).from, 'bob');
    equal([await contacts(one), await contacts(two)], [['bob'], ['alice']]);
    await two.connection.deleteContact('alice');
    equal((await one.next('onContactDeleted')).from, 'bob');
    equal([await contacts(one), await contacts(two)], [[], []]);
    close(one, two);
  },

  async 'who is blocked is not heard'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    await one.connection.addUsersToBlocklist({ name: ['bob'] });
    equal(plain((await one.connection.getBlocklist()).data), ['bob']);
    let error;
    await two.send({ type: 'txt', chatType: 'singleChat', to: 'alice', msg: 'psst' }).catch((refused) => { error = refused; });
    equal(error?.type, 603, error);
    await one.connection.removeUserFromBlocklist({ name: ['bob'] });
    await two.send({ type: 'txt', chatType: 'singleChat', to: 'alice', msg: 'aloud' });
    await one.next('onTextMessage', (text) => text.msg === 'aloud');
    equal(one.all('onTextMessage').filter((text) => text.msg === 'psst'), []);
    close(one, two);
  },

  async 'push settings'(w) {
    if (!w.has('setSilentModeForAll')) return NOT_HERE;
    const one = await w.logged('alice');
    const a = one.connection;
    await a.setSilentModeForAll({ options: one.own({ paramType: 0, remindType: 'AT' }) });
    await a.setSilentModeForAll({ options: one.own({ paramType: 2, startTime: { hours: 8, minutes: 5 }, endTime: { hours: 10, minutes: 30 } }) });
    const all = plain((await a.getSilentModeForAll()).data);
    equal([all.type, all.ignoreInterval], ['AT', '08:05-10:30']);
    const talk = { conversationId: 'bob', type: 'singleChat' };
    await a.setSilentModeForConversation({ ...talk, options: one.own({ paramType: 0, remindType: 'NONE' }) });
    equal((await a.getSilentModeForConversation(talk)).data.type, 'NONE');
    const several = await a.getSilentModeForConversations({ conversationList: one.own([{ id: 'bob', type: 'singleChat' }]) });
    equal(several.data.user.bob.type, 'NONE');
    await a.clearRemindTypeForConversation(talk);
    equal((await a.getSilentModeForConversation(talk)).data.type, undefined);
    await a.setPushPerformLanguage({ language: 'EU' });
    equal((await a.getPushPerformLanguage()).data.language, 'EU');
    await a.updateCurrentUserNick('Alice');
    equal((await w.backend.rest('GET', 'users/alice')).entities[0].nickname, 'Alice');
    if (w.has('uploadPushToken')) {
      await a.uploadPushToken({ deviceId: 'd', deviceToken: 't', notifierName: 'n' });
      await eventually(async () => (await w.backend.rest('GET', 'users/alice')).entities[0].pushInfo?.[0]?.device_token === 't');
    }
    close(one);
  },
};
