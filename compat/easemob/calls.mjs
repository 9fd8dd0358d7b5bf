// Every REST call that the newest SDK makes with the user's own token, made from within the SDK against a running Stentor:
//   STENTOR_URL=… STENTOR_ORG=… STENTOR_APP=… STENTOR_TOKEN=<an app token> node calls.mjs <build> [family]
// Each is either served, or refused in the way that the SDK takes for "not enabled". Prints a line for each.
import assert from 'node:assert/strict';
import { Backend } from './backend.mjs';
import { Client } from './client.mjs';
import { place } from './jsdom.mjs';

const { STENTOR_URL: url, STENTOR_ORG: org, STENTOR_APP: app, STENTOR_TOKEN: token } = process.env;
const [build, only] = process.argv.slice(2);
const backend = new Backend({ url, org, app, token });
const [alice, bob, carol, dave] = ['calling-alice', 'calling-bob', 'calling-carol', 'calling-dave'];
/** What the SDK says of a service that is not enabled: SERVICE_NOT_ENABLED. */
const NOT_ENABLED = 505;

/** What the SDK asked for over REST in this page, as `METHOD path`. */
function watch({ window }) {
  const requests = [];
  const { open } = window.XMLHttpRequest.prototype;
  window.XMLHttpRequest.prototype.open = function opened(method, to, ...rest) {
    const { pathname, search } = new URL(to, url);
    requests.push(`${method} ${decodeURIComponent(pathname).replace(`/${org}/${app}`, '')}${search}`);
    return open.call(this, method, to, ...rest);
  };
  return requests;
}

let failed = 0;
let requests = [];

/** One call, and what is to become of it: a function that looks at the answer, or NOT_ENABLED. */
async function call(name, made, expected) {
  requests.length = 0;
  let answer;
  let error;
  try {
    answer = await made();
  } catch (refused) {
    error = refused;
  }
  const asked = requests.join(', ').replaceAll('calling-', '');
  try {
    if (expected === NOT_ENABLED) {
      assert.equal(error?.type, NOT_ENABLED, error ? JSON.stringify(error) : `answered ${JSON.stringify(answer)}`);
    } else {
      assert.equal(error, undefined, `refused: ${JSON.stringify(error)} ${error?.stack ?? ''}`);
      await expected?.(answer === undefined ? undefined : JSON.parse(JSON.stringify(answer)));
    }
    console.log(`ok ${name}${expected === NOT_ENABLED ? ' (not enabled)' : ''}: ${asked}`);
  } catch (wrong) {
    failed += 1;
    console.log(`FAILED ${name}: ${asked}\n  ${wrong.message}`);
  }
  return answer;
}

const holds = (expected) => (answer) => assert.deepEqual(pick(answer, expected), expected, JSON.stringify(answer));

/** Of an answer, the parts that are expected to be something. */
function pick(answer, like) {
  if (Array.isArray(like)) return Array.isArray(answer) && answer.length === like.length ? like.map((one, at) => pick(answer[at], one)) : answer;
  if (like === null || typeof like !== 'object') return answer;
  return Object.fromEntries(Object.keys(like).map((key) => [key, pick(answer?.[key], like[key])]));
}

async function groups(one, two, three) {
  const a = one.connection;
  const b = two.connection;
  const c = three.connection;
  const data = { groupname: 'g', desc: 'd', members: [bob], public: true, approval: false, allowinvites: false, inviteNeedConfirm: false, maxusers: 100, ext: 'x' };
  const made = await call('createGroup', () => a.createGroup({ data }), (answer) => assert.ok(answer.data.groupid));
  const groupId = made.data.groupid;
  const g = { groupId };
  await call('createGroupVNext', () => a.createGroupVNext({ groupName: 'v', description: 'd', members: [], isPublic: false, needApprovalToJoin: false, allowMemberToInvite: true, inviteNeedConfirm: false, maxMemberCount: 50, extension: 'e' }));
  await call('getGroupInfo', () => a.getGroupInfo(g), (answer) => {
    const [info] = answer.data;
    assert.deepEqual([info.id, info.name, info.description, info.owner, info.custom, info.membersonly, info.affiliations_count], [groupId, 'g', 'd', alice, 'x', false, 2], JSON.stringify(info));
  });
  await call('getJoinedGroups', () => b.getJoinedGroups({ pageNum: 0, pageSize: 20, needAffiliations: true, needRole: true }), (answer) => assert.ok(JSON.stringify(answer).includes(groupId), JSON.stringify(answer)));
  await call('getGroup', () => b.getGroup(), holds({ data: [{ groupid: groupId, groupname: 'g' }] }));
  await call('getJoinedGroupsCount', () => b.getJoinedGroupsCount(), (answer) => assert.equal(answer.data.count ?? answer.data, 1, JSON.stringify(answer)));
  await call('getPublicGroups', () => b.getPublicGroups({ limit: 20 }), (answer) => assert.ok(answer.data.some((group) => group.groupid === groupId && group.groupname === 'g'), JSON.stringify(answer)));
  await call('modifyGroup', () => a.modifyGroup({ ...g, groupName: 'h', description: 'e', avatar: 'http://a/b.png', ext: 'y' }));
  await call('modifyGroup, as bob sees it', () => b.getGroupInfo(g), (answer) => assert.deepEqual([answer.data[0].name, answer.data[0].custom], ['h', 'y'], JSON.stringify(answer)));
  await call('listGroupMembers', () => b.listGroupMembers({ ...g, pageNum: 1, pageSize: 20 }), (answer) => assert.equal(answer.data.length, 2, JSON.stringify(answer)));
  await call('getGroupMembers', () => b.getGroupMembers({ ...g, limit: 10 }), (answer) => assert.equal((answer.data.members ?? answer.data).length, 2, JSON.stringify(answer)));
  await call('setGroupAdmin', () => a.setGroupAdmin({ ...g, username: bob }));
  await call('getGroupAdmin', () => a.getGroupAdmin(g), holds({ data: [bob] }));
  await call('removeGroupAdmin', () => a.removeGroupAdmin({ ...g, username: bob }));
  await call('muteGroupMember', () => a.muteGroupMember({ ...g, username: bob, muteDuration: 60_000 }));
  await call('getGroupMutelist', () => a.getGroupMutelist(g), holds({ data: [{ user: bob }] }));
  await call('isInGroupMutelist', () => b.isInGroupMutelist(g), holds({ data: true }));
  await call('unmuteGroupMember', () => a.unmuteGroupMember({ ...g, username: bob }));
  await call('isInGroupMutelist, after', () => b.isInGroupMutelist(g), holds({ data: false }));
  await call('disableSendGroupMsg', () => a.disableSendGroupMsg(g), holds({ data: { mute: true } }));
  await call('enableSendGroupMsg', () => a.enableSendGroupMsg(g), holds({ data: { mute: false } }));
  await call('addUsersToGroupAllowlist', () => a.addUsersToGroupAllowlist({ ...g, users: [bob] }));
  await call('getGroupAllowlist', () => a.getGroupAllowlist(g), (answer) => assert.ok(answer.data.includes(bob), JSON.stringify(answer)));
  await call('isInGroupAllowlist', () => b.isInGroupAllowlist({ ...g, userName: bob }), (answer) => assert.equal(answer.data.white, true, JSON.stringify(answer)));
  await call('removeGroupAllowlistMember', () => a.removeGroupAllowlistMember({ ...g, userName: bob }));
  await call('isInGroupAllowlist, after', () => b.isInGroupAllowlist({ ...g, userName: bob }), (answer) => assert.equal(answer.data.white, false, JSON.stringify(answer)));
  await call('updateGroupAnnouncement', () => a.updateGroupAnnouncement({ ...g, announcement: 'hear' }));
  await call('fetchGroupAnnouncement', () => b.fetchGroupAnnouncement(g), holds({ data: { announcement: 'hear' } }));
  await call('inviteUsersToGroup', () => a.inviteUsersToGroup({ ...g, users: [carol] }));
  await call('removeGroupMember', () => a.removeGroupMember({ ...g, username: carol }));
  await call('removeGroupMembers', async () => {
    await a.inviteUsersToGroup({ ...g, users: [carol, dave] });
    return a.removeGroupMembers({ ...g, users: [carol, dave] });
  });
  await call('blockGroupMember', async () => {
    await a.inviteUsersToGroup({ ...g, users: [carol] });
    return a.blockGroupMember({ ...g, username: carol });
  });
  await call('getGroupBlocklist', () => a.getGroupBlocklist(g), holds({ data: [carol] }));
  await call('unblockGroupMember', () => a.unblockGroupMember({ ...g, username: carol }));
  await call('blockGroupMembers', async () => {
    await a.inviteUsersToGroup({ ...g, users: [carol, dave] });
    return a.blockGroupMembers({ ...g, usernames: [carol, dave] });
  });
  await call('unblockGroupMembers', () => a.unblockGroupMembers({ ...g, usernames: [carol, dave] }));
  await call('leaveGroup', () => b.leaveGroup(g));
  await call('joinGroup', () => b.joinGroup({ ...g, message: 'please' }), holds({ data: { result: true } }));
  const file = new one.place.window.File(['shared bytes'], 'notes.txt', { type: 'text/plain' });
  const shared = await call('uploadGroupSharedFile', () => new Promise((resolve, reject) => {
    b.uploadGroupSharedFile({ ...g, file: { data: file, filename: 'notes.txt' }, onFileUploadComplete: resolve, onFileUploadError: reject });
  }));
  const fileId = shared?.data?.file_id;
  await call('getGroupSharedFilelist', () => a.getGroupSharedFilelist({ ...g, pageNum: 1, pageSize: 10 }), (answer) => assert.deepEqual([answer.data[0]?.file_id, answer.data[0]?.file_name, answer.data[0]?.file_owner], [fileId, 'notes.txt', bob], JSON.stringify(answer)));
  await call('downloadGroupSharedFile', () => new Promise((resolve, reject) => {
    a.downloadGroupSharedFile({ ...g, fileId, onFileDownloadComplete: (blob) => resolve(blob.size), onFileDownloadError: reject });
  }), (size) => assert.equal(size, 'shared bytes'.length));
  await call('deleteGroupSharedFile', () => a.deleteGroupSharedFile({ ...g, fileId }));
  await call('setGroupMemberAttributes', () => b.setGroupMemberAttributes({ ...g, userId: bob, memberAttributes: { nick: 'B' } }), NOT_ENABLED);
  await call('getGroupMemberAttributes', () => b.getGroupMemberAttributes({ ...g, userId: bob }), NOT_ENABLED);
  await call('getGroupMembersAttributes', () => b.getGroupMembersAttributes({ ...g, userIds: [bob], keys: ['nick'] }), NOT_ENABLED);
  await call('getGroupMsgReadUser', () => a.getGroupMsgReadUser({ ...g, msgId: '1' }), NOT_ENABLED);
  await call('blockGroupMessage', () => b.blockGroupMessage(g), NOT_ENABLED);
  await call('unblockGroupMessage', () => b.unblockGroupMessage(g), NOT_ENABLED);
  await call('blockGroupMessages', () => b.blockGroupMessages(g));
  const asking = (await a.createGroup({ data: { ...data, members: [carol], approval: true, inviteNeedConfirm: true } })).data.groupid;
  await call('acceptGroupInvite', () => c.acceptGroupInvite({ groupId: asking, invitee: carol }), holds({ data: { result: true } }));
  await a.inviteUsersToGroup({ groupId: asking, users: [bob] });
  await call('rejectGroupInvite', () => b.rejectGroupInvite({ groupId: asking, invitee: bob }), holds({ data: { result: true } }));
  await b.joinGroup({ groupId: asking, message: 'please' });
  await call('rejectGroupJoinRequest', () => a.rejectGroupJoinRequest({ groupId: asking, applicant: bob, reason: 'no' }), holds({ data: { result: true } }));
  await b.joinGroup({ groupId: asking, message: 'please' });
  await call('acceptGroupJoinRequest', () => a.acceptGroupJoinRequest({ groupId: asking, applicant: bob }), holds({ data: { result: true } }));
  await call('changeGroupOwner', () => a.changeGroupOwner({ ...g, newOwner: bob }));
  await call('destroyGroup', () => b.destroyGroup(g), holds({ data: { success: true } }));
}

async function rooms(one, two) {
  const a = one.connection;
  const b = two.connection;
  const made = await call('createChatRoom', () => a.createChatRoom({ name: 'r', description: 'd', maxusers: 50, members: [] }), (answer) => assert.ok(answer.data.id));
  const chatRoomId = made.data.id;
  const r = { chatRoomId };
  await b.joinChatRoom({ roomId: chatRoomId });
  await call('getChatRooms', () => b.getChatRooms({ pagenum: 1, pagesize: 20 }), (answer) => assert.ok(answer.data.some((room) => room.id === chatRoomId && room.name === 'r'), JSON.stringify(answer)));
  await call('getChatRoomDetails', () => b.getChatRoomDetails(r), (answer) => assert.deepEqual([answer.data[0].id, answer.data[0].name, answer.data[0].owner], [chatRoomId, 'r', alice], JSON.stringify(answer)));
  await call('getJoinedChatRooms', () => b.getJoinedChatRooms({ pageNum: 1, pageSize: 20 }), (answer) => assert.ok(JSON.stringify(answer.data).includes(chatRoomId), JSON.stringify(answer)));
  await call('modifyChatRoom', () => a.modifyChatRoom({ ...r, chatRoomName: 's', description: 'e', maxusers: 60 }));
  await call('listChatRoomMembers', () => b.listChatRoomMembers({ ...r, pageNum: 1, pageSize: 20 }), (answer) => assert.equal(answer.data.length, 2, JSON.stringify(answer)));
  await call('getChatRoomMembers', () => b.getChatRoomMembers({ ...r, limit: 10 }), (answer) => assert.equal((answer.data.members ?? answer.data).length, 2, JSON.stringify(answer)));
  await call('setChatRoomAdmin', () => a.setChatRoomAdmin({ ...r, username: bob }));
  await call('getChatRoomAdmin', () => a.getChatRoomAdmin(r), holds({ data: [bob] }));
  await call('removeChatRoomAdmin', () => a.removeChatRoomAdmin({ ...r, username: bob }));
  await call('muteChatRoomMember', () => a.muteChatRoomMember({ ...r, username: bob, muteDuration: 60_000 }));
  await call('getChatRoomMutelist', () => a.getChatRoomMutelist(r), holds({ data: [{ user: bob }] }));
  await call('isInChatRoomMutelist', () => b.isInChatRoomMutelist(r), holds({ data: true }));
  await call('unmuteChatRoomMember', () => a.unmuteChatRoomMember({ ...r, username: bob }));
  await call('disableSendChatRoomMsg', () => a.disableSendChatRoomMsg(r), holds({ data: { mute: true } }));
  await call('enableSendChatRoomMsg', () => a.enableSendChatRoomMsg(r), holds({ data: { mute: false } }));
  await call('addUsersToChatRoomAllowlist', () => a.addUsersToChatRoomAllowlist({ ...r, users: [bob] }));
  await call('getChatRoomAllowlist', () => a.getChatRoomAllowlist(r), (answer) => assert.ok(answer.data.includes(bob), JSON.stringify(answer)));
  await call('isInChatRoomAllowlist', () => b.isInChatRoomAllowlist({ ...r, userName: bob }), (answer) => assert.equal(answer.data.white, true, JSON.stringify(answer)));
  await call('removeChatRoomAllowlistMember', () => a.removeChatRoomAllowlistMember({ ...r, userName: bob }));
  await call('updateChatRoomAnnouncement', () => a.updateChatRoomAnnouncement({ roomId: chatRoomId, announcement: 'hear' }));
  await call('fetchChatRoomAnnouncement', () => b.fetchChatRoomAnnouncement({ roomId: chatRoomId }), holds({ data: { announcement: 'hear' } }));
  await call('setChatRoomAttributes', () => b.setChatRoomAttributes({ ...r, attributes: { k: 'v', l: 'w' }, autoDelete: true }), holds({ data: { successKeys: ['k', 'l'] } }));
  await call('setChatRoomAttribute', () => a.setChatRoomAttribute({ ...r, attributeKey: 'k', attributeValue: 'x', isForced: true }));
  await call('getChatRoomAttributes', () => b.getChatRoomAttributes({ ...r, attributeKeys: ['k'] }), holds({ data: { k: 'x' } }));
  await call('getChatRoomAttributes, all', () => b.getChatRoomAttributes(r), holds({ data: { k: 'x', l: 'w' } }));
  await call('removeChatRoomAttribute', () => b.removeChatRoomAttribute({ ...r, attributeKey: 'l' }));
  await call('removeChatRoomAttributes', () => a.removeChatRoomAttributes({ ...r, attributeKeys: ['k'], isForced: true }));
  await call('addUsersToChatRoom', () => a.addUsersToChatRoom({ ...r, users: [carol, dave] }));
  await call('removeChatRoomMember', () => a.removeChatRoomMember({ ...r, username: carol }));
  await call('removeChatRoomMembers', () => a.removeChatRoomMembers({ ...r, users: [dave] }));
  await call('blockChatRoomMembers', async () => {
    await a.addUsersToChatRoom({ ...r, users: [carol, dave] });
    return a.blockChatRoomMembers({ ...r, usernames: [carol, dave] });
  });
  await call('getChatRoomBlocklist', () => a.getChatRoomBlocklist(r), (answer) => assert.equal(answer.data.length, 2, JSON.stringify(answer)));
  await call('unblockChatRoomMember', () => a.unblockChatRoomMember({ ...r, username: carol }));
  await call('unblockChatRoomMembers', () => a.unblockChatRoomMembers({ ...r, usernames: [carol, dave] }));
  await call('blockChatRoomMember', async () => {
    await a.addUsersToChatRoom({ ...r, users: [carol] });
    return a.blockChatRoomMember({ ...r, username: carol });
  });
  await call('getChatRoomSharedFilelist', () => b.getChatRoomSharedFilelist({ roomId: chatRoomId }), NOT_ENABLED);
  await call('deleteChatRoomSharedFile', () => b.deleteChatRoomSharedFile({ roomId: chatRoomId, fileId: '1' }), NOT_ENABLED);
  await call('destroyChatRoom', () => a.destroyChatRoom(r), holds({ data: { success: true } }));
}

async function people(one, two, three) {
  const a = one.connection;
  const b = two.connection;
  const c = three.connection;
  await call('addContact', () => a.addContact(bob, 'hello'));
  await call('acceptContactInvite', () => b.acceptContactInvite(alice));
  await call('getContacts', () => a.getContacts(), holds({ data: [bob] }));
  await call('setContactRemark', () => a.setContactRemark({ userId: bob, remark: 'Bobby' }));
  await call('getAllContacts', () => a.getAllContacts(), holds({ data: [{ userId: bob, remark: 'Bobby' }] }));
  await call('getContactsWithCursor', () => a.getContactsWithCursor({ pageSize: 20 }), holds({ data: { contacts: [{ userId: bob, remark: 'Bobby' }] } }));
  await call('declineContactInvite', async () => {
    await a.addContact(carol);
    return c.declineContactInvite(alice);
  });
  await call('deleteContact', () => b.deleteContact(alice));
  await call('getContacts, after', () => a.getContacts(), holds({ data: [] }));
  await call('addUsersToBlocklist', () => a.addUsersToBlocklist({ name: [carol] }));
  await call('getBlocklist', () => a.getBlocklist(), holds({ data: [carol] }));
  await call('removeUserFromBlocklist', () => a.removeUserFromBlocklist({ name: carol }));
  await call('getBlocklist, after', () => a.getBlocklist(), holds({ data: [] }));
  await call('updateUserInfo', () => a.updateUserInfo({ nickname: 'Al', avatarurl: 'http://a/b.png', gender: '1', ext: '{"a":1}' }));
  await call('updateUserInfo, one', () => a.updateUserInfo('nickname', 'Ali'));
  await call('fetchUserInfoById', () => b.fetchUserInfoById([alice], ['nickname', 'gender']), holds({ data: { [alice]: { nickname: 'Ali', gender: '1' } } }));
  await call('publishPresence', () => b.publishPresence({ description: 'busy' }));
  await call('subscribePresence', () => a.subscribePresence({ usernames: [bob], expiry: 600 }), holds({ result: [{ uid: bob, ext: 'busy' }] }));
  await call('getPresenceStatus', () => a.getPresenceStatus({ usernames: [bob] }), holds({ result: [{ uid: bob, ext: 'busy' }] }));
  await call('getSubscribedPresenceList', () => a.getSubscribedPresenceList({ pageNum: 1, pageSize: 10 }), holds({ result: { sublist: [{ uid: bob }] } }));
  await call('unsubscribePresence', () => a.unsubscribePresence({ usernames: [bob] }));
  await call('getSelfIdsOnOtherPlatform', () => a.getSelfIdsOnOtherPlatform());
  await call('getTokenExpireTimestamp', () => a.getTokenExpireTimestamp(one.connection.context.accessToken));
}

async function push(one) {
  const a = one.connection;
  const own = (value) => one.own(value);
  await call('updateCurrentUserNick', () => a.updateCurrentUserNick('Al'));
  await call('uploadPushToken', () => a.uploadPushToken({ deviceId: 'd', deviceToken: 't', notifierName: 'n' }));
  await call('unbindPushToken', () => a.unbindPushToken());
  await call('setSilentModeForAll, type', () => a.setSilentModeForAll({ options: own({ paramType: 0, remindType: 'AT' }) }), holds({ data: { type: 'AT' } }));
  await call('setSilentModeForAll, duration', () => a.setSilentModeForAll({ options: own({ paramType: 1, duration: 60 }) }));
  await call('setSilentModeForAll, interval', () => a.setSilentModeForAll({ options: own({ paramType: 2, startTime: { hours: 8, minutes: 5 }, endTime: { hours: 10, minutes: 30 } }) }));
  await call('getSilentModeForAll', () => a.getSilentModeForAll(), (answer) => assert.deepEqual([answer.data.type, answer.data.ignoreInterval], ['AT', '08:05-10:30'], JSON.stringify(answer)));
  const talk = { conversationId: bob, type: 'singleChat' };
  await call('setSilentModeForConversation', () => a.setSilentModeForConversation({ ...talk, options: own({ paramType: 0, remindType: 'NONE' }) }), holds({ data: { type: 'NONE' } }));
  await call('getSilentModeForConversation', () => a.getSilentModeForConversation(talk), holds({ data: { type: 'NONE' } }));
  await call('getSilentModeForConversations', () => a.getSilentModeForConversations({ conversationList: [{ id: bob, type: 'singleChat' }, { id: '1', type: 'groupChat' }] }), holds({ data: { user: { [bob]: { type: 'NONE' } } } }));
  await call('getSilentModeRemindTypeConversations', () => a.getSilentModeRemindTypeConversations({ pageSize: 10 }));
  await call('clearRemindTypeForConversation', () => a.clearRemindTypeForConversation(talk));
  await call('setPushPerformLanguage', () => a.setPushPerformLanguage({ language: 'EU' }), holds({ data: { language: 'EU' } }));
  await call('getPushPerformLanguage', () => a.getPushPerformLanguage(), holds({ data: { language: 'EU' } }));
}

async function past(one, two) {
  const a = one.connection;
  const sent = await one.send({ type: 'txt', chatType: 'singleChat', to: bob, msg: 'remember' });
  await call('getHistoryMessages', () => a.getHistoryMessages({ targetId: bob, chatType: 'singleChat', pageSize: 10 }), (answer) => assert.equal(answer.messages[0].id, sent.serverMsgId, JSON.stringify(answer)));
  await call('getHistoryMessages, chosen', () => a.getHistoryMessages({ targetId: bob, chatType: 'singleChat', pageSize: 10, searchDirection: 'down', searchOptions: { from: alice, msgTypes: ['txt'], startTime: Date.now() - 60_000, endTime: Date.now() + 60_000 } }), (answer) => assert.equal(answer.messages[0]?.id, sent.serverMsgId, JSON.stringify(answer)));
  await call('fetchHistoryMessages', () => a.fetchHistoryMessages({ queue: bob, count: 10 }));
  await call('removeHistoryMessages, some', () => a.removeHistoryMessages({ targetId: bob, chatType: 'singleChat', messageIds: [sent.serverMsgId] }));
  await call('getHistoryMessages, after', () => a.getHistoryMessages({ targetId: bob, chatType: 'singleChat', pageSize: 10 }), (answer) => assert.equal(answer.messages.length, 0, JSON.stringify(answer)));
  await call('removeHistoryMessages, before', () => a.removeHistoryMessages({ targetId: bob, chatType: 'singleChat', beforeTimeStamp: Date.now() }));
  await call('deleteConversation', () => a.deleteConversation({ channel: bob, chatType: 'singleChat', deleteRoam: true }));
  await call('deleteAllMessagesAndConversations', () => a.deleteAllMessagesAndConversations());
  await two.next('onTextMessage');
}

async function closed(one) {
  const a = one.connection;
  const talks = [{ conversationId: bob, conversationType: 'singleChat' }];
  const pinned = { conversationId: bob, conversationType: 'singleChat', messageId: '1' };
  for (const [name, made] of Object.entries({
    getConversationlist: () => a.getConversationlist(),
    getSessionList: () => a.getSessionList(),
    getServerConversations: () => a.getServerConversations({ pageSize: 10 }),
    getServerPinnedConversations: () => a.getServerPinnedConversations({ pageSize: 10 }),
    getServerConversationsByFilter: () => a.getServerConversationsByFilter({ pageSize: 10, filter: { mark: 1 } }),
    pinConversation: () => a.pinConversation({ ...talks[0], isPinned: true }),
    'pinConversation, not': () => a.pinConversation({ ...talks[0], isPinned: false }),
    addConversationMark: () => a.addConversationMark({ conversations: talks, mark: 1 }),
    removeConversationMark: () => a.removeConversationMark({ conversations: talks, mark: 1 }),
    pinMessage: () => a.pinMessage(pinned),
    unpinMessage: () => a.unpinMessage(pinned),
    getServerPinnedMessages: () => a.getServerPinnedMessages(pinned),
    addReaction: () => a.addReaction({ messageId: '1', reaction: 'smile' }),
    deleteReaction: () => a.deleteReaction({ messageId: '1', reaction: 'smile' }),
    getReactionlist: () => a.getReactionlist({ chatType: 'singleChat', messageId: ['1'] }),
    getReactionDetail: () => a.getReactionDetail({ messageId: '1', reaction: 'smile' }),
    createChatThread: () => a.createChatThread({ parentId: '1', name: 't', messageId: '1' }),
    joinChatThread: () => a.joinChatThread({ chatThreadId: '1' }),
    leaveChatThread: () => a.leaveChatThread({ chatThreadId: '1' }),
    destroyChatThread: () => a.destroyChatThread({ chatThreadId: '1' }),
    changeChatThreadName: () => a.changeChatThreadName({ chatThreadId: '1', name: 'u' }),
    getChatThreadMembers: () => a.getChatThreadMembers({ chatThreadId: '1' }),
    removeChatThreadMember: () => a.removeChatThreadMember({ chatThreadId: '1', username: bob }),
    getJoinedChatThreads: () => a.getJoinedChatThreads({}),
    'getJoinedChatThreads, of a group': () => a.getJoinedChatThreads({ parentId: '1' }),
    getChatThreads: () => a.getChatThreads({ parentId: '1' }),
    getChatThreadLastMessage: () => a.getChatThreadLastMessage({ chatThreadIds: ['1'] }),
    getChatThreadDetail: () => a.getChatThreadDetail({ chatThreadId: '1' }),
    translateMessage: () => a.translateMessage({ text: 'hello', languages: ['de'] }),
    getSupportedLanguages: () => a.getSupportedLanguages(),
    reportMessage: () => a.reportMessage({ reportType: 'spam', reportReason: 'x', messageId: '1' }),
    getUserIdByRTCUIds: () => a.getUserIdByRTCUIds([1]),
    getRTCToken: () => a.getRTCToken('channel'),
  })) {
    await call(name, made, NOT_ENABLED);
  }
}

async function main() {
  await backend.register(alice, bob, carol, dave);
  const page = place(build, url);
  const logged = (user) => new Client(page, { backend }).open({ user, pwd: 'pw' });
  const [one, two, three] = [await logged(alice), await logged(bob), await logged(carol)];
  requests = watch(page);
  for (const family of [groups, rooms, people, push, past, closed]) {
    if (only && only !== family.name) continue;
    await family(one, two, three);
  }
  process.exit(failed === 0 ? 0 : 1);
}

process.on('unhandledRejection', () => {});
await main();
