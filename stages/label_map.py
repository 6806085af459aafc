"""label-map: headers, metadata tables, vocabularies of the sources in use -> data/labels.csv,
metrics/labels.json."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.end_quietly_on_signals()

import logging

import pandas as pd
from tqdm import tqdm

from ecgpipe.labels import mapping
from ecgpipe.labels import report as labels_report
from ecgpipe.labels.params import LabelParams
from ecgpipe.project import atomic, params, paths, tables
from ecgpipe.recordings import recording, refusal_limit
from ecgpipe.recordings.sources import DataParams, in_use


def main() -> None:
    values = params.load()
    data = params.section(DataParams, values, "data")
    settings = params.section(LabelParams, values, "labels")
    most = params.section(refusal_limit.RefusalParams, values, "preprocess").max_refused
    sources = in_use(values)
    classes = mapping.chosen(settings)
    vocabularies = {
        name: mapping.vocabulary(source, data.folder(name)) for name, source in sources.items()
    }
    described, parts = {}, []
    for name, source in tqdm(sources.items(), desc="label-map", unit="source", disable=None):
        described[name] = list(recording.describe(data.folder(name), source))
        refusal_limit.check_refusal_limit(
            refusal_limit.refused(described[name]), len(described[name]), most, data.folder(name)
        )
        parts.append(
            mapping.map_source(
                name, described[name], source, vocabularies[name], classes, settings.unscored
            )
        )
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, paths.LABELS, sealed=True)
    report = labels_report.report(table, described, sources, vocabularies, classes)
    atomic.write_json(paths.METRICS / "labels.json", report)
    for name, one in report["sources"].items():
        left_out = {reason: found["recordings"] for reason, found in one["left_out"].items()}
        said = (
            name,
            one["usable"],
            one["recordings"],
            left_out or "none",
            one["unknown"] or "none",
        )
        logging.info(
            "%s: %d of %d usable; left out: %s; unknown labels: %s (metrics/labels.json)", *said
        )


if __name__ == "__main__":
    stage.run(main)
