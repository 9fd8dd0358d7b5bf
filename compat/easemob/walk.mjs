// Walks one published SDK through a running Stentor, in jsdom:
//   STENTOR_URL=http://127.0.0.1:8480 STENTOR_ORG=… STENTOR_APP=… STENTOR_TOKEN=<an app token> STENTOR_TOKEN_007=<alice's> \
//     node walk.mjs <build> [part of a step's name]
// Prints a line for each step, and ends with 0 if all of them went well. With STENTOR_SILENCE=1 there is a minute of silence
// beside them; STENTOR_COMPRESSED=1 says that the server compresses.
import { Backend } from './backend.mjs';
import { place } from './jsdom.mjs';
import { proxyTo } from './proxy.mjs';
import { silence, stepsOf } from './steps.mjs';
import { USERS, World, run } from './world.mjs';

const { STENTOR_URL: url, STENTOR_ORG: org, STENTOR_APP: app, STENTOR_TOKEN: token } = process.env;
const [build, only] = process.argv.slice(2);
const backend = new Backend({ url, org, app, token, token007: process.env.STENTOR_TOKEN_007 ?? '' });

// What an SDK drops on the floor is not a failure of the walk: each step waits for what it wants.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', (error) => console.error(error));
await backend.register(...USERS);
const world = new World({ build, backend, open: () => place(build, url), proxy: () => proxyTo(url), compressed: Boolean(process.env.STENTOR_COMPRESSED) });
const say = (line) => console.log(line);
const quiet = process.env.STENTOR_SILENCE ? run(world, silence, { say }) : 0;
const failed = await run(world, stepsOf(build), { only, say }) + await quiet;
// Pages of jsdom leave timers behind.
process.exit(failed === 0 ? 0 : 1);
