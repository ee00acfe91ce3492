// The planted bugs of consensus: each must be found in at most 500 seeds. `node test/bft/planted.ts [name...]`
import { plant } from "../seeds/planting.ts";

await plant("bft", 500);
