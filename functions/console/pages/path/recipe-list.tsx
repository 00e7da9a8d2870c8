import { Stack, Text, Title } from "@mantine/core";
import { Command } from "../../ui/command.tsx";
import { CopyField } from "../../ui/copy-field.tsx";
import type { Recipe } from "./publish-recipes.ts";

/** Recipes by the tool that they are for, in the order in which they come. */
export function RecipeList({ recipes }: { recipes: readonly Recipe[] }) {
	const tools = [...new Set(recipes.map(({ tool }) => tool))];
	return (
		<Stack gap="lg" style={{ overflowWrap: "anywhere" }}>
			{tools.map((tool) => (
				<Stack key={tool} gap="sm" component="section">
					<Title order={3} size="h5">
						{tool}
					</Title>
					{recipes
						.filter((recipe) => recipe.tool === tool)
						.map((recipe) => (
							<RecipeItem key={recipe.id} recipe={recipe} />
						))}
				</Stack>
			))}
		</Stack>
	);
}

function RecipeItem({ recipe: { kind, note, text, title, tool } }: { recipe: Recipe }) {
	return (
		<Stack gap={4}>
			{kind === "field" ? (
				<CopyField label={title} value={text} />
			) : (
				<>
					<Text size="sm">{title}</Text>
					<Command label={`${tool}: ${title}`}>{text}</Command>
				</>
			)}
			{note !== undefined && (
				<Text size="xs" c="dimmed">
					{note}
				</Text>
			)}
		</Stack>
	);
}
