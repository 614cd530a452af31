// How the package is built: an ES module and types for each entry, with `shared/` inlined and every dependency left outside.
import { defineConfig } from 'tsdown'

export default defineConfig({
  cwd: import.meta.dirname,
  // It stands at the root because types are emitted below the folder of their tsconfig, and `shared/` is beside this one.
  tsconfig: '../tsconfig.sdk.json',
  entry: { index: 'index.ts', react: 'react/hooks.ts', search: 'search.ts' },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  fixedExtension: false,
  hash: false,
  deps: { onlyBundle: [] },
})
