// Compile the Python in archives, with Pyodide itself: a visitor's browser would take seconds to do so.
// Takes the folder of npm's package `pyodide` and the archives, and writes these in place.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

// A hash that is not checked: neither times nor sources are there to compare with.
const PROGRAM = `
import io
from py_compile import PycInvalidationMode, compile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


def compiled(archive):
    made = io.BytesIO()
    with ZipFile(io.BytesIO(archive.to_bytes())) as old, ZipFile(made, "w", ZIP_DEFLATED) as new:
        for info in old.infolist():
            name, data = info.filename, old.read(info)
            if name.endswith(".py"):
                with open("source.py", "wb") as file:
                    file.write(data)
                mode = PycInvalidationMode.UNCHECKED_HASH
                compile("source.py", "code.pyc", name, doraise=True, invalidation_mode=mode)
                with open("code.pyc", "rb") as file:
                    name, data = name + "c", file.read()
            new.writestr(ZipInfo(name, info.date_time), data, ZIP_DEFLATED)
    return made.getvalue()


compiled
`;

const [folder, ...archives] = process.argv.slice(2).map((name) => resolve(name));
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const compiled = (await loadPyodide({ indexURL: folder })).runPython(PROGRAM);
for (const archive of archives)
  writeFileSync(archive, compiled(new Uint8Array(readFileSync(archive))).toJs());
