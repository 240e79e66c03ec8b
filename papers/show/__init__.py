"""What a reader sees: tables, figures, diagrams, notebooks."""
