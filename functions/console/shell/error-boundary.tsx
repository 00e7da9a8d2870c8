import { Alert, Button, Group } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { Component, type ReactNode } from "react";

/** Keeps the rest of the console standing when a page falls. A new `place` is a new chance. */
export class ErrorBoundary extends Component<{ place: string; children: ReactNode }, { error: Error | null }> {
	override state: { error: Error | null } = { error: null };

	static getDerivedStateFromError(error: unknown): { error: Error } {
		return { error: error instanceof Error ? error : new Error(String(error)) };
	}

	override componentDidUpdate(before: { place: string }): void {
		if (before.place !== this.props.place && this.state.error !== null) this.setState({ error: null });
	}

	override render(): ReactNode {
		if (this.state.error === null) return this.props.children;
		return (
			<Alert color="red" variant="outline" icon={<TriangleAlert aria-hidden />} title="This page failed" role="alert">
				{this.state.error.message}. If the console was updated in the meantime, loading it again helps.
				<Group mt="md">
					<Button variant="default" onClick={() => this.setState({ error: null })}>
						Try again
					</Button>
					<Button variant="default" onClick={() => window.location.reload()}>
						Load the console again
					</Button>
				</Group>
			</Alert>
		);
	}
}
