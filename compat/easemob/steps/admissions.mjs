// Who comes into a group: applications and invitations, by the SDK's own calls.
import { equal, refused } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

/** Waits for an event of the group. */
const told = (client, groupId, operation, from) => client.next('onGroupEvent', (event) => event.operation === operation && event.id === groupId && (from === undefined || event.from === from));

const group = (fields) => ({ data: { groupname: 'closed', desc: 'd', members: [], public: true, approval: true, allowinvites: false, inviteNeedConfirm: true, maxusers: 100, ...fields } });

export const admissions = {
  async 'a group that asks who comes in: applied, declined, accepted'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const groupId = (await one.connection.createGroup(group())).data.groupid;
    const say = (msg) => two.send({ type: 'txt', chatType: 'groupChat', to: groupId, msg });
    await two.connection.joinGroup({ groupId, message: 'let me in' });
    const applied = await told(one, groupId, 'requestToJoin');
    equal([applied.from, w.old ? 'let me in' : applied.reason], ['bob', 'let me in'], applied);
    equal((await refused(say('am I in?'))).type, 602);
    await one.connection.rejectGroupJoinRequest({ groupId, applicant: 'bob', reason: 'not you' });
    equal((await told(two, groupId, 'joinPublicGroupDeclined')).from, 'alice');
    await two.connection.joinGroup({ groupId, message: 'please' });
    await told(one, groupId, 'requestToJoin');
    await one.connection.acceptGroupJoinRequest({ groupId, applicant: 'bob' });
    equal((await told(two, groupId, 'acceptRequest')).from, 'alice');
    await told(one, groupId, 'memberPresence', 'bob');
    await say('I am in');
    await one.next('onTextMessage', (text) => text.msg === 'I am in' && text.to === groupId);
    await one.connection.destroyGroup({ groupId });
    close(one, two);
  },

  async 'who is invited into a group is asked: declined, accepted'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const groupId = (await one.connection.createGroup(group({ members: ['bob'] }))).data.groupid;
    const invited = await told(two, groupId, 'inviteToJoin');
    equal([invited.from, invited.name], ['alice', 'closed'], invited);
    await two.connection.rejectGroupInvite({ groupId, invitee: 'bob' });
    equal((await told(one, groupId, 'rejectInvite')).from, 'bob');
    await one.connection.inviteUsersToGroup({ groupId, users: ['bob'] });
    await told(two, groupId, 'inviteToJoin');
    await two.connection.acceptGroupInvite({ groupId, invitee: 'bob' });
    equal((await told(one, groupId, 'acceptInvite')).from, 'bob');
    await told(one, groupId, 'memberPresence', 'bob');
    await one.send({ type: 'txt', chatType: 'groupChat', to: groupId, msg: 'welcome' });
    await two.next('onTextMessage', (text) => text.msg === 'welcome' && text.to === groupId);
    await one.connection.destroyGroup({ groupId });
    close(one, two);
  },
};
