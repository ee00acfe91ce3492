// The planted bugs of the bridge: each must be found in at most 200 seeds. `node test/sim/planted.ts [name...]`
import { plant } from "../seeds/planting.ts";

await plant("sim", 200);
