"""label-map: headers, tables and vocabularies of sources -> data/labels, metrics/labels.json."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import sys

from tqdm import tqdm

from ecgpipe.labels import mapping, patients
from ecgpipe.labels import report as label_report
from ecgpipe.labels.params import LabelParams
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.recordings import refusal_limit, source_files, sources
from ecgpipe.recordings.descriptions import describe


def main() -> None:
    data, labels = params.sections(params.load(), data=sources.DataParams, labels=LabelParams)
    used = sources.select(data.sources)
    classes = mapping.chosen(labels)
    vocabularies = {name: mapping.vocabulary(used[name], data.folder(name)) for name in used}
    descriptions, accounts = {}, {}
    for name in tqdm(used, desc="label-map", unit="source", disable=None):
        folder = data.folder(name)
        accounts[name] = source_files.account_of_source(folder, used[name])
        descriptions[name] = patients.judged(describe(folder, used[name], accounts[name]))
        refusal_limit.check_descriptions(descriptions[name], accounts[name], data.max_refused)
    table = mapping.map_sources(descriptions, used, vocabularies, classes, labels.unscored)
    with atomic.sealed_folder(paths.LABELS.parent) as folder:
        tables.write(table, folder / paths.LABELS.name)
    report = label_report.report(table, descriptions, used, vocabularies, classes, accounts)
    atomic.write_report(paths.LABELS_REPORT, report)
    label_report.log(report, used)


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:], reads_recordings=True)
