import { cdk8s, javascript } from 'projen';

/** What this library imports from where; read by the linter as errors (see ARCHITECTURE.md, "Import direction"). */
const inside = (...folders: string[]) => folders.map((folder) => `./src/${folder}`);
const agent = (...folders: string[]) => folders.map((folder) => `./agent/src/${folder}`);
const constructs = inside('postgres-cluster.ts', 'database-cluster.ts', 'create-cluster.ts', 'check-postgres.ts', 'object-registry.ts', 'cli');
const importZones = [
  { target: './src/contract', from: './src', except: ['./contract'] },
  { target: inside('document'), from: [...constructs.filter((path) => !path.endsWith('check-postgres.ts')), ...inside('parts', 'render')] },
  { target: inside('resolve'), from: [...constructs, ...inside('parts', 'rules', 'render', 'shape')] },
  { target: inside('render'), from: [...constructs, ...inside('parts', 'rules', 'shape')] },
  { target: inside('parts'), from: [...constructs, ...inside('rules', 'shape')] },
  { target: inside('rules'), from: [...constructs, ...inside('parts', 'shape')] },
  { target: inside('shape'), from: [...constructs, ...inside('parts', 'render', 'resolve')] },
  { target: './src', from: ['./agent', './test', './tools'] },
  { target: './agent', from: './src', except: ['./contract'] },
  { target: agent('ports'), from: './agent/src', except: ['./ports'] },
  { target: agent('model'), from: './agent/src', except: ['./model', './ports'] },
  { target: agent('decide'), from: './agent/src', except: ['./decide', './model'] },
  { target: agent('adapters'), from: './agent/src', except: ['./adapters', './ports'] },
  { target: agent('observe'), from: agent('adapters', 'execute') },
  { target: agent('execute'), from: agent('adapters', 'decide', 'observe') },
];

const project = new cdk8s.ConstructLibraryCdk8s({
  name: 'cdk8s-everest',
  description: 'Highly available databases on Kubernetes as typed code: complete plain manifests, no CRDs, no cluster-admin.',
  author: 'cdk8s-everest contributors',
  authorAddress: 'https://github.com/cdk8s-everest',
  authorOrganization: true,
  repositoryUrl: 'https://github.com/cdk8s-everest/cdk8s-everest.git',
  license: 'Apache-2.0',
  copyrightOwner: 'cdk8s-everest contributors',
  defaultReleaseBranch: 'main',
  projenrcTs: true,
  packageManager: javascript.NodePackageManager.NPM,
  stability: 'experimental',
  keywords: ['cdk8s', 'kubernetes', 'postgresql', 'patroni', 'database', 'high-availability', 'gitops'],
  minNodeVersion: '20.16.0',

  cdk8sVersion: '2.68.12',
  constructsVersion: '10.3.0',
  jsiiVersion: '~5.9.0',
  typescriptVersion: '~5.9.0',
  peerDeps: ['cdk8s-plus-27@^2.9.5'],
  // Each dependency's line of reason stands in docs/adr/0002-dependencies.md.
  bundledDeps: ['yaml@^2.9.1', 'zod@^4.4.0'],
  devDeps: [
    '@kubernetes/client-node@2.0.1', '@types/jest@^30', '@types/node@^20', 'ajv@^8', 'cdk8s-cli@^2.207.0',
    'eslint-plugin-jsdoc@^50', 'fast-check@^4', 'jest@^30', 'ts-jest@^29', 'tsx@^4',
  ],
  bin: { 'cdk8s-everest': 'lib/cli/main.js' },

  github: false,
  release: false,
  depsUpgrade: false,
  pullRequestTemplate: false,
  sampleCode: false,
  buildWorkflow: false,
  integrationTestAutoDiscover: false,
  docgen: true,
  eslintOptions: { dirs: ['src'], devdirs: ['test', 'examples'], prettier: false },
  jestOptions: {
    updateSnapshot: javascript.UpdateSnapshot.NEVER,
    jestVersion: '^30',
    configFilePath: 'jest.config.json',
    junitReporting: false,
    jestConfig: {
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      setupFiles: ['<rootDir>/test/support/property-seed.ts'],
      collectCoverage: false,
      coverageReporters: [],
      watchPathIgnorePatterns: ['/node_modules/', '/dist/', '/lib/'],
    },
  },
  gitignore: ['/dist/', '/examples/**/dist/', '*.tgz', '.DS_Store', '__pycache__/'],

  publishToPypi: { distName: 'cdk8s-everest', module: 'cdk8s_everest' },
  publishToMaven: {
    javaPackage: 'io.github.cdk8severest', mavenGroupId: 'io.github.cdk8s-everest', mavenArtifactId: 'cdk8s-everest',
  },
  publishToGo: { moduleName: 'github.com/cdk8s-everest/cdk8s-everest-go', packageName: 'cdk8severest' },
  publishToNuget: { dotNetNamespace: 'Cdk8sEverest', packageId: 'Cdk8sEverest' },
});

// undici 8, which client-node asks for, needs Node 22; newer releases of unrs-resolver lack platform packages, which
// breaks `npm ci`.
project.package.addField('overrides', { 'undici': '^7.30.0', 'unrs-resolver': '1.12.2' });
project.package.addField('workspaces', ['agent']);
project.package.addField('homepage', 'https://github.com/cdk8s-everest/cdk8s-everest');

// Scripts and tables are data of the library: they travel beside the compiled code.
project.compileTask.exec('node tools/copy-data.mjs');

project.setScript('start', 'node tools/start.mjs');
project.setScript('test', 'node tools/test.mjs');
for (const [name, command] of Object.entries({
  'e2e': 'tsx test/e2e/main.ts',
  'bench': 'tsx test/bench/main.ts',
  'docs': 'tsx tools/docs.ts',
  'golden:update': 'tsx tools/golden-update.ts',
})) {
  project.setScript(name, command);
}
project.testTask.reset('jest', { receiveArgs: true });

const eslint = project.eslint!;
eslint.addRules({
  'max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
  'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  'complexity': ['error', 10],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
  'eqeqeq': 'error',
  '@stylistic/object-property-newline': 'off',
  'import/no-cycle': 'error',
  'import/no-default-export': 'error',
  'import/no-restricted-paths': ['error', { zones: importZones }],
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/member-ordering': 'off',
});
eslint.addOverride({ files: ['test/**/*.ts', 'tools/**/*.ts', '.projenrc.ts'], rules: { 'max-lines-per-function': 'off', 'import/no-extraneous-dependencies': 'off' } });
// All that the agent imports is bundled, so that none of it is a dependency at run time.
eslint.addOverride({
  files: ['agent/**/*.ts'],
  rules: { 'import/no-extraneous-dependencies': ['error', { devDependencies: true, packageDir: ['./agent', '.'] }] },
});
// Node's runner itself awaits what `test` at the top of a file gives.
eslint.addOverride({
  files: ['agent/test/**/*.ts'],
  rules: {
    '@typescript-eslint/no-floating-promises': ['error', {
      allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: 'node:test' }],
    }],
  },
});
// Examples import the library by its name, as its users do.
eslint.addOverride({ files: ['examples/**/*.ts'], rules: { 'import/no-unresolved': 'off' } });
eslint.addIgnorePattern('lib/');
eslint.addIgnorePattern('dist/');

project.tsconfigDev.addInclude('../tools/**/*.ts');
project.tsconfigDev.addInclude('../.projenrc.ts');
// The kit is checked with its own settings: client-node is ESM.
project.tsconfigDev.addExclude('e2e');

for (const path of ['/agent/', '/examples/', '/images/', '/docs/', '/tools/', '/ARCHITECTURE.md', '/CONTRIBUTING.md', '/.ci/', '/jest.config.json']) {
  project.npmignore!.exclude(path);
}

project.synth();
