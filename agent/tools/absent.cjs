// Stands for packages that are not bundled; see bundle.mjs.
module.exports = {};
