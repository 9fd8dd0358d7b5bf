// Chat rooms.
import { equal, plain, refused } from '../expect.mjs';

const close = (...clients) => clients.forEach((client) => client.close());

/** Both in a new room. */
async function together(w) {
  const room = await w.backend.room();
  const [one, two] = [await w.logged('alice'), await w.logged('bob')];
  await one.connection.joinChatRoom({ roomId: room });
  await two.connection.joinChatRoom({ roomId: room });
  return [room, one, two];
}

export const rooms = {
  async 'a room: join, text over REST, text of a member, leave'(w) {
    const [room, one, two] = await together(w);
    const came = await one.next('onChatroomEvent', (event) => event.operation === 'memberPresence');
    equal([came.id, came.from], [room, 'bob']);
    const id = await w.backend.say(room, { body: { msg: 'hello room' }, ext: { k: 1 } });
    const got = await one.next('onTextMessage', (text) => text.msg === 'hello room');
    equal([got.id, got.from, got.to, got.chatType, got.ext], [id, 'admin', room, 'chatRoom', { k: 1 }]);
    await two.next('onTextMessage', (text) => text.msg === 'hello room');
    const sent = await two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'from bob' });
    const heard = await one.next('onTextMessage', (text) => text.msg === 'from bob');
    equal([heard.id, heard.from], [sent.serverMsgId, 'bob']);
    await (two.connection.leaveChatRoom ?? two.connection.quitChatRoom).call(two.connection, { roomId: room });
    equal((await one.next('onChatroomEvent', (event) => event.operation === 'memberAbsence')).from, 'bob');
    const error = await refused(two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'still here?' }));
    equal(error.type, 602, error);
    equal((await refused(two.connection.joinChatRoom({ roomId: '1' }))).type, 705);
    equal(two.all('onTextMessage'), [], 'nobody hears himself');
    close(one, two);
  },

  async 'a room: what there is to know of it, and what who comes says'(w) {
    const [room, other] = [await w.backend.room({ owner: 'alice' }), await w.backend.room()];
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    await two.connection.joinChatRoom({ roomId: other });
    const joined = plain(await two.connection.joinChatRoom({ roomId: room, ext: 'front row', leaveOtherRooms: true }));
    const came = await one.next('onChatroomEvent', (event) => event.operation === 'memberPresence' && event.id === room);
    equal([came.from, came.ext, came.memberCount], ['bob', 'front row', 2], came);
    const info = { isAllMembersMuted: false, isInAllowlist: false, memberCount: 2, muteExpireTimestamp: -1 };
    if (w.toldOfRooms) equal({ ...joined.data.info, createTimestamp: undefined }, info, joined);
    const left = (await w.backend.rest('GET', 'users/bob/joined_chatrooms')).data.map((found) => found.id);
    equal(left, [room], 'the rooms that bob is in');
    close(one, two);
  },

  async 'a room: levels, of the backend and of a member'(w) {
    const [room, one, two] = await together(w);
    for (const level of ['high', 'normal', 'low']) {
      await w.backend.say(room, { body: { msg: `rest ${level}` }, chatroom_msg_level: level });
      equal((await one.next('onTextMessage', (text) => text.msg === `rest ${level}`)).priority, level);
      await two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: `sdk ${level}`, priority: level });
      equal((await one.next('onTextMessage', (text) => text.msg === `sdk ${level}`)).priority, level);
    }
    close(one, two);
  },

  async 'a room: to named members only'(w) {
    const [room, one, two] = await together(w);
    const said = { from: 'admin', to: [room], type: 'txt', body: { msg: 'for alice' }, users: ['alice'] };
    const { data } = await w.backend.rest('POST', 'messages/chatrooms/users', said);
    const got = await one.next('onTextMessage', (text) => text.msg === 'for alice');
    equal([got.id, got.to, got.chatType], [data[room], room, 'chatRoom']);
    await one.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'for bob', receiverList: ['bob'] });
    await two.next('onTextMessage', (text) => text.msg === 'for bob');
    await w.backend.say(room, { body: { msg: 'for all' } });
    await two.next('onTextMessage', (text) => text.msg === 'for all');
    equal(two.all('onTextMessage'), [], 'what was for alice');
    close(one, two);
  },

  async 'a broadcast to every active room'(w) {
    const [room, one, two] = await together(w);
    await w.backend.say(room, { body: { msg: 'it is active' } });
    const msg = { type: 'txt', msg: 'to everybody' };
    await w.backend.rest('POST', 'messages/chatrooms/broadcast', { from: 'admin', msg, ext: { k: 'v' }, chatroom_msg_level: 'low' });
    for (const client of [one, two]) {
      const got = await client.next('onTextMessage', (text) => text.msg === 'to everybody' && text.to === room);
      equal([got.from, got.chatType, got.priority, got.broadcast, got.ext], ['admin', 'chatRoom', 'low', true, { k: 'v' }], got);
    }
    close(one, two);
  },

  async 'a room: what its owner does, members are told'(w) {
    const room = await w.backend.room({ owner: 'alice' });
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const chatRoomId = room;
    await two.connection.joinChatRoom({ roomId: room });
    const told = (operation) => two.next('onChatroomEvent', (event) => event.operation === operation && event.id === room);
    await one.connection.muteChatRoomMember({ chatRoomId, username: 'bob', muteDuration: 60_000 });
    await told('muteMember');
    equal((await refused(two.send({ type: 'txt', chatType: 'chatRoom', to: room, msg: 'mmm' }))).type, 507);
    await one.connection.removeMuteChatRoomMember({ chatRoomId, username: 'bob' });
    await told('unmuteMember');
    await one.connection.updateChatRoomAnnouncement({ roomId: room, announcement: 'hear' });
    const { announcement } = await told('updateAnnouncement');
    if (!w.old) equal(announcement, 'hear');
    await one.connection.setChatRoomAttribute({ chatRoomId, attributeKey: 'k', attributeValue: 'v' });
    equal((await told('updateChatRoomAttributes')).attributes, { k: 'v' });
    await one.connection.setChatRoomAdmin({ chatRoomId, username: 'bob' });
    await told('setAdmin');
    await one.connection.removeSingleChatRoomMember({ chatRoomId, username: 'bob' });
    await told('removeMember');
    await two.connection.joinChatRoom({ roomId: room });
    await one.connection.destroyChatRoom({ chatRoomId });
    await told('destroy');
    close(one, two);
  },
};
