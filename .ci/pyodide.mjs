// Runs pytest in Pyodide. Takes a folder with `site` (installed packages), `tests` and
// pyproject.toml, then arguments for pytest.
import { loadPyodide } from "pyodide";

const [folder, ...given] = process.argv.slice(2);
const pyodide = await loadPyodide({
  env: {
    HOME: "/home",
    HYPOTHESIS_PROFILE: process.env.HYPOTHESIS_PROFILE ?? "fast",
    PYTEST_DISABLE_PLUGIN_AUTOLOAD: "1",
  },
});
pyodide.mountNodeFS("/tree", folder);
pyodide.globals.set("given", pyodide.toPy(given));
const code = await pyodide.runPythonAsync(`
import os, sys
os.chdir("/tree")
sys.path.insert(0, "/tree/site")
import corscore, pytest
assert corscore.__file__.startswith("/tree/site"), corscore.__file__
print("corscore", corscore.__version__, "on", sys.platform, sys.version.split()[0])

own = ["-q", "-p", "no:cacheprovider"]
for plugin in ("corscore.testing._pytest_plugin", "_hypothesis_pytestplugin", "anyio.pytest_plugin"):
    own += ["-p", plugin]
int(pytest.main([*own, *given]))
`);
process.exit(code);
