import { Button } from "@mantine/core";
import { Download } from "lucide-react";
import type { UsageReport } from "../../../routes/usage.ts";
import { csvName, usageCsv } from "./usage-csv.ts";

/** Saves a report as a file. */
export function DownloadCsv({ report }: { report: UsageReport }) {
	function save() {
		const url = URL.createObjectURL(new Blob([usageCsv(report)], { type: "text/csv" }));
		const link = document.createElement("a");
		link.href = url;
		link.download = csvName(report);
		link.click();
		// The download has begun with the click; the next task is early enough to let the text go.
		setTimeout(() => URL.revokeObjectURL(url), 0);
	}
	return (
		<Button variant="default" leftSection={<Download size={16} aria-hidden />} onClick={save}>
			Download CSV
		</Button>
	);
}
