// Groups, by the SDK's own calls.
import { equal, refused } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

export const groups = {
  async 'a group: message, receipt'(w) {
    const group = { groupname: 'g', description: '-', public: true, owner: 'alice', members: ['bob'] };
    const id = (await w.backend.rest('POST', 'chatgroups', group)).data.groupid;
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const sent = await one.send({ type: 'txt', chatType: 'groupChat', to: id, msg: 'all', msgConfig: { allowGroupAck: true } });
    const got = await two.next('onTextMessage', (text) => text.msg === 'all');
    equal([got.id, got.from, got.to, got.chatType], [sent.serverMsgId, 'alice', id, 'groupChat']);
    await two.send({ type: 'read', chatType: 'groupChat', id: got.id, to: id, ackContent: '{}' });
    equal((await one.next('onReadMessage')).mid, sent.serverMsgId);
    await w.backend.rest('DELETE', `chatgroups/${id}`);
    await two.next('onGroupEvent', (event) => event.operation === 'destroy' && event.id === id);
    close(one, two);
  },

  async 'a group from its creation to its end'(w) {
    const [one, two, three] = [await w.logged('alice'), await w.logged('bob'), await w.logged('carol')];
    const data = { groupname: 'g', desc: 'd', members: ['bob'], public: true, approval: false, allowinvites: false, inviteNeedConfirm: false, maxusers: 100, ext: 'of our own' };
    const groupId = (await one.connection.createGroup({ data })).data.groupid;
    const told = (client, operation) => client.next('onGroupEvent', (event) => event.operation === operation && event.id === groupId);
    equal((await told(two, 'directJoined')).from, 'alice');
    equal((await two.connection.getGroupInfo({ groupId })).data[0].custom, 'of our own');
    await three.connection.joinGroup({ groupId, message: 'please' });
    equal((await told(two, 'memberPresence')).from, 'carol');
    const say = (client, msg) => client.send({ type: 'txt', chatType: 'groupChat', to: groupId, msg });
    await say(three, 'here I am');
    await two.next('onTextMessage', (text) => text.msg === 'here I am' && text.to === groupId);
    await one.connection.muteGroupMember({ groupId, username: 'bob', muteDuration: 60_000 });
    await told(two, 'muteMember');
    equal((await refused(say(two, 'mmm'))).type, 507);
    await one.connection.unmuteGroupMember({ groupId, username: 'bob' });
    await told(two, 'unmuteMember');
    await one.connection.setGroupAdmin({ groupId, username: 'bob' });
    await told(two, 'setAdmin');
    await two.connection.updateGroupAnnouncement({ groupId, announcement: 'hear' });
    const { announcement } = await told(three, 'updateAnnouncement');
    if (!w.old) equal(announcement, 'hear');
    await two.connection.removeGroupMember({ groupId, username: 'carol' });
    await told(three, 'removeMember');
    equal((await refused(say(three, 'and now?'))).type, 602);
    await one.connection.inviteUsersToGroup({ groupId, users: ['carol'] });
    await told(three, 'directJoined');
    await three.connection.leaveGroup({ groupId });
    await told(two, 'memberAbsence');
    await one.connection.destroyGroup({ groupId });
    await told(two, 'destroy');
    close(one, two, three);
  },
};
