import { Alert, List } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import type { ApiProblem } from "../api/problem.ts";

/** What went wrong, in the words of the server. Nothing when nothing did. */
export function ProblemAlert({ problem }: { problem: ApiProblem | null }) {
	if (problem === null) return null;
	return (
		<Alert color="red" variant="outline" icon={<TriangleAlert aria-hidden />} title="That did not work" role="alert">
			{problem.errors.length === 0 ? (
				problem.message
			) : (
				<List size="sm">
					{problem.errors.map(({ path, message }) => (
						<List.Item key={`${path} ${message}`}>
							<code>{path.replace(/^body\./, "")}</code>: {message}
						</List.Item>
					))}
				</List>
			)}
		</Alert>
	);
}
