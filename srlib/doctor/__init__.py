"""Why a score is not the printed one: what each protocol gives, and what pictures say."""
