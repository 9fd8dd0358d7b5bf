// Every step of the walk, in its order.
import { admissions } from './steps/admissions.mjs';
import { connection, silence } from './steps/connection.mjs';
import { devices } from './steps/devices.mjs';
import { early } from './steps/early.mjs';
import { files } from './steps/files.mjs';
import { groups } from './steps/groups.mjs';
import { login } from './steps/login.mjs';
import { messages } from './steps/messages.mjs';
import { mixed } from './steps/mixed.mjs';
import { past } from './steps/past.mjs';
import { people } from './steps/people.mjs';
import { rooms } from './steps/rooms.mjs';

const all = { ...login, ...messages, ...rooms, ...groups, ...admissions, ...people, ...files, ...past, ...devices, ...connection, ...mixed };

/** The steps of a build. */
export const stepsOf = (build) => (build.startsWith('easemob-websdk-3') ? early : all);
export { silence };
