import type { ViteUserConfig } from "vitest/config";
import { defineConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "*/src/**/*.test.ts",
            "deploy/**/*.test.ts",
            "contracts/*.test.ts",
            "test/tidy/**/*.test.ts",
            "test/bft/*.test.ts",
          ],
          testTimeout: 60_000,
          // Importing the same modules for each file again took as long as most of its tests.
          isolate: false,
          // All cores of a small machine: by default one is left for the reporter.
          maxWorkers: 2,
        },
      },
      { test: { name: "spec", include: ["test/spec/**/*.spec.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts"],
          testTimeout: 600_000,
          hookTimeout: 300_000,
          // Mostly they wait for blocks; more at once would measure the machine.
          maxWorkers: 2,
        },
      },
    ],
  },
});

export default config;
