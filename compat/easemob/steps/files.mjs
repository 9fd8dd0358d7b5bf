// Files: real bytes, up and down.
import { equal, ok } from '../expect.mjs';

/** The bytes of a blob of a page. */
const bytes = (place, blob) => new Promise((resolve, reject) => {
  const reader = new place.window.FileReader();
  reader.onload = () => resolve([...new Uint8Array(reader.result)]);
  reader.onerror = () => reject(new Error('it cannot be read'));
  reader.readAsArrayBuffer(blob);
});

const download = (client, url, secret) => new Promise((resolve, reject) => {
  client.sdk.utils.download.call(client.connection, {
    url, secret, headers: { Accept: 'audio/mp3' }, onFileDownloadComplete: resolve, onFileDownloadError: reject,
  });
});

/** The smallest picture there is. */
const PICTURE = Uint8Array.from([71, 73, 70, 56, 57, 97, 1, 0, 1, 0, 0, 0, 0, 44, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 0, 59]);

/** A PNG of one colour, not compressed: small pictures are their own thumbnails. */
function picture(width, height) {
  const table = Array.from({ length: 256 }, (_, n) => Array.from({ length: 8 }).reduce((c) => (c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1), n));
  const crc = (bytes) => (bytes.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), -1) ^ -1) >>> 0;
  const long = (n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const chunk = (name, data) => {
    const named = [...[...name].map((char) => char.charCodeAt(0)), ...data];
    return [...long(data.length), ...named, ...long(crc(named))];
  };
  const rows = Array.from({ length: height * (1 + 3 * width) }, (_, at) => (at % (1 + 3 * width) ? 90 : 0));
  let [one, two] = [1, 0];
  rows.forEach((byte) => { one = (one + byte) % 65521; two = (two + one) % 65521; });
  const length = [rows.length & 255, rows.length >> 8];
  const stored = [0x78, 1, 1, ...length, ...length.map((byte) => byte ^ 255), ...rows, ...long(two * 65536 + one)];
  return Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10,
    ...chunk('IHDR', [...long(width), ...long(height), 8, 2, 0, 0, 0]), ...chunk('IDAT', stored), ...chunk('IEND', [])]);
}

/** Width and height of a JPEG. */
function sizeOf(bytes) {
  for (let at = 2; at + 9 < bytes.byteLength; at += 2 + bytes.getUint16(at + 2)) {
    const marker = bytes.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffc2) return [bytes.getUint16(at + 7), bytes.getUint16(at + 5)];
  }
  throw new Error('it is no JPEG');
}

export const files = {
  async 'a picture and what it looks like in small'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const { window } = one.place;
    const data = new window.File([window.Uint8Array.from(picture(200, 100))], 'blue.png', { type: 'image/png' });
    const file = { data, filename: data.name, filetype: 'png', url: '' };
    const small = { thumbnailWidth: 60, thumbnailHeight: 60 };
    await one.send({ type: 'img', chatType: 'singleChat', to: 'bob', file, filename: data.name, file_length: data.size, width: 200, height: 100, ...small });
    const got = await two.next('onImageMessage');
    equal([got.width, got.height], [200, 100], got);
    const seen = async (url, type) => {
      const reply = await fetch(url);
      equal([reply.status, reply.headers.get('content-type')], [200, type], url);
      return reply.arrayBuffer();
    };
    equal((await seen(got.url, 'image/png')).byteLength, data.size);
    const [width, height] = sizeOf(new DataView(await seen(got.thumb, 'image/jpeg')));
    // Builds that do not say how small have it as the server likes it.
    ok([60, 170].includes(width) && width === 2 * height, `${width} x ${height}`);
    one.close();
    two.close();
  },

  async 'a file up, and down with its secret'(w) {
    const [one, two] = [await w.logged('alice'), await w.logged('bob')];
    const content = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 251);
    const { window } = one.place;
    for (const [type, event, data] of [
      ['file', 'onFileMessage', new window.File([window.Uint8Array.from(content)], 'notes.bin')],
      ['img', 'onImageMessage', new window.File([window.Uint8Array.from(PICTURE)], 'dot.gif', { type: 'image/gif' })],
    ]) {
      const file = { data, filename: data.name, filetype: data.name.split('.')[1], url: '' };
      const sent = await one.send({ type, chatType: 'singleChat', to: 'bob', file, filename: data.name, file_length: data.size });
      const got = await two.next(event, (told) => told.id === sent.serverMsgId);
      equal(got.file_length, data.size);
      // The SDK says no names of pictures.
      if (type === 'file') equal(got.filename, data.name);
      ok(got.url.startsWith(w.backend.of('chatfiles/')) && got.secret, got);
      const found = await bytes(two.place, await download(two, got.url, got.secret));
      equal(found.length, data.size);
      ok(found.every((byte, at) => byte === (type === 'file' ? content : PICTURE)[at]), 'other bytes');
      // Without the secret nobody has it.
      const bare = await fetch(got.url.split('?')[0]);
      equal(bare.status, 401);
    }
    one.close();
    two.close();
  },
};
