import { Stack, Tabs, Text } from "@mantine/core";
import { Command } from "../../ui/command.tsx";
import { CopyField } from "../../ui/copy-field.tsx";
import type { Recipe } from "./publish-recipes.ts";

/** Recipes by the tool that they are for, each a tab, in the order in which they come. */
export function RecipeList({ label, recipes }: { label: string; recipes: readonly Recipe[] }) {
	const tools = [...new Set(recipes.map(({ tool }) => tool))];
	return (
		<Tabs defaultValue={tools[0] ?? null} style={{ overflowWrap: "anywhere" }}>
			<Tabs.List aria-label={label} mb="sm">
				{tools.map((tool) => (
					<Tabs.Tab key={tool} value={tool}>
						{tool}
					</Tabs.Tab>
				))}
			</Tabs.List>
			{tools.map((tool) => (
				<Tabs.Panel key={tool} value={tool}>
					<Stack gap="sm">
						{recipes
							.filter((recipe) => recipe.tool === tool)
							.map((recipe) => (
								<RecipeItem key={recipe.id} recipe={recipe} />
							))}
					</Stack>
				</Tabs.Panel>
			))}
		</Tabs>
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
