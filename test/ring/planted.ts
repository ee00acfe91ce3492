// The planted bugs of the ring: each must be found in at most 500 seeds. `node test/ring/planted.ts [name...]`
import { plant } from "../seeds/planting.ts";

await plant("ring", 500);
