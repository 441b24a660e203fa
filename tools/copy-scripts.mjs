// Copies the scripts that run inside database containers next to the compiled code, where the library reads them.
import { cpSync, mkdirSync } from 'node:fs';

mkdirSync('lib/render', { recursive: true });
cpSync('src/render/scripts', 'lib/render/scripts', { recursive: true, filter: (path) => !path.includes('__pycache__') });
